import { describe, expect, it } from 'vitest'
import { Offline, Problem } from '../../src/lib/api'
import { memoryShelf } from '../../src/lib/kv'
import { once } from '../../src/lib/once'

const problem = (status: number, code: string) => new Problem(status, code, '', '', 'req')

/** Sends `body` and answers with the key that was used. */
async function keyUsed(store: ReturnType<typeof memoryShelf>, body: unknown, failure?: Error): Promise<string> {
  let used = ''
  const send = (key: string) => {
    used = key
    return failure ? Promise.reject(failure) : Promise.resolve(key)
  }
  await once(store, 'submit:MZ-01', body, send).catch(() => undefined)
  return used
}

describe('the key of an attempt', () => {
  it.each([new Offline(), problem(503, 'busy'), problem(409, 'idempotency_in_flight'), problem(429, 'slow_down')])(
    'stays the same while it is open whether the server did it: %s',
    async (failure) => {
      const store = memoryShelf()
      const first = await keyUsed(store, { a: 1 }, failure)
      expect(await keyUsed(store, { a: 1 })).toBe(first)
    },
  )

  it('is a new one for another body, or the server would refuse it', async () => {
    const store = memoryShelf()
    const first = await keyUsed(store, { a: 1 }, new Offline())
    expect(await keyUsed(store, { a: 2 })).not.toBe(first)
  })

  it('is a new one after a clear answer, yes or no', async () => {
    const store = memoryShelf()
    const refused = await keyUsed(store, { a: 1 }, problem(422, 'invalid_form'))
    const done = await keyUsed(store, { a: 1 })
    expect(done).not.toBe(refused)
    expect(await keyUsed(store, { a: 1 })).not.toBe(done)
    expect(store.keys()).toEqual([])
  })
})
