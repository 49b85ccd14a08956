/** Idempotency keys: the same attempt carries the same key until the server has answered, even when the page is closed in between. */
import { newId, Offline, Problem } from './api'
import type { Shelf } from './kv'

interface Attempt {
  key: string
  body: string
}

/** True when it is still open whether the server has done it: no answer, in flight, too many, or a fault of the server. */
function unanswered(error: unknown): boolean {
  if (error instanceof Offline) return true
  return (
    error instanceof Problem && (error.status >= 500 || error.status === 429 || error.status === 401 || error.code.includes('in_flight'))
  )
}

/** Runs `send` with the key of this attempt at `scope`. Same body = same key (a repeat is harmless); another body = another attempt. */
export async function once<T>(store: Shelf, scope: string, body: unknown, send: (key: string) => Promise<T>): Promise<T> {
  const name = `once:${scope}`
  const text = JSON.stringify(body)
  const kept = store.get<Attempt>(name)
  const attempt = kept && kept.body === text ? kept : { key: newId(), body: text }
  store.put(name, attempt)
  try {
    const answer = await send(attempt.key)
    store.drop(name)
    return answer
  } catch (error) {
    if (!unanswered(error)) store.drop(name)
    throw error
  }
}
