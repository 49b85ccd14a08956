/** The live line of the logged-in resident: one for the app, many listeners. */
import { reactive } from 'vue'
import { streamBase } from './config'
import { shelf } from './kv'
import { prefs } from './prefs'
import { api, isLoggedIn } from './session'
import { LiveLine, type LineState, type Socket, type SocketEvents } from './stream'
import type { AccountEvent, SyncAnswer } from './types'
import { utf8 } from './utf8'

export const live = reactive<{ state: LineState; unread: number }>({ state: 'off', unread: 0 })

/** Told after each answer: the new events, and whether older ones may be missing (then read everything again). */
export type Listener = (events: AccountEvent[], reset: boolean) => void
const listeners = new Set<Listener>()

export function listen(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const line = new LiveLine({
  open,
  poll: (since) => api.ask<SyncAnswer>('GET', '/sync', { query: { since, timeout: 25 }, timeout: 40_000 }).then((reply) => reply.data),
  later: (ms, work) => {
    const timer = setTimeout(work, ms)
    return () => clearTimeout(timer)
  },
  random: Math.random,
  onState: (state) => {
    live.state = state
  },
  onAnswer: (answer) => {
    live.unread = answer.unread
    shelf.put('position', line.position)
    if (answer.events.length || answer.reset) listeners.forEach((listener) => listener(answer.events, answer.reset ?? false))
  },
})

async function open(since: number, events: SocketEvents): Promise<Socket> {
  const token = await api.freshToken()
  if (!token) throw new Error('not logged in')
  const task = uni.connectSocket({ url: `${streamBase()}?since=${since}&lang=${prefs.language}&token=${encodeURIComponent(token)}`, complete: () => undefined })
  task.onOpen(events.onOpen)
  task.onMessage(({ data }) => events.onFrame(JSON.parse(typeof data === 'string' ? data : utf8(data as ArrayBuffer)) as SyncAnswer))
  task.onError(() => undefined)
  task.onClose(events.onClose)
  return { close: () => task.close({}) }
}

/** Begins to listen where the last visit ended; does nothing while nobody is logged in. */
export function startLive(): void {
  if (isLoggedIn.value && live.state === 'off') line.start(shelf.get<number>('position') ?? 0)
}

export function stopLive(): void {
  line.stop()
  if (!isLoggedIn.value) live.unread = 0
}

export const wakeLive = () => line.wake()
