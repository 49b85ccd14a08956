/** The live line: a WebSocket that is opened again from the last position, and long-polling where sockets do not get through. */
import type { SyncAnswer } from './types'

export interface Socket {
  close(): void
}
export interface SocketEvents {
  onOpen(): void
  onFrame(answer: SyncAnswer): void
  onClose(): void
}

/** What the line needs from outside; the tests give it their own clock and sockets. */
export interface LineParts {
  open(since: number, events: SocketEvents): Promise<Socket>
  poll(since: number): Promise<SyncAnswer>
  /** Runs `work` after `ms`; the answer cancels. */
  later(ms: number, work: () => void): () => void
  random(): number
  onAnswer(answer: SyncAnswer): void
  onState(state: LineState): void
}
export type LineState = 'off' | 'connecting' | 'live' | 'polling' | 'waiting'

const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 30_000
/** Sockets that never opened before we believe that something on the way forbids them. */
const SOCKET_TRIES = 3
/** Polls in a row after which a socket is tried again (a poll lasts up to 25 s). */
const POLLS_BEFORE_SOCKET = 8

export class LiveLine {
  private since = 0
  /** Counts starts and stops: what an old socket or poll still says is told by its number and ignored. */
  private turn = 0
  private failures = 0
  private unopened = 0
  private socket: Socket | null = null
  private cancelWait: (() => void) | null = null

  constructor(private readonly parts: LineParts) {}

  /** The last position whose events have been handed on. */
  get position(): number {
    return this.since
  }

  start(since: number): void {
    this.stop()
    this.since = since
    this.failures = 0
    this.unopened = 0
    void this.connect(this.turn)
  }

  stop(): void {
    this.turn += 1
    this.cancelWait?.()
    this.cancelWait = null
    this.socket?.close()
    this.socket = null
    this.parts.onState('off')
  }

  /** The network is back: do not sit out the rest of a long wait. */
  wake(): void {
    if (!this.cancelWait) return
    this.cancelWait()
    this.cancelWait = null
    this.unopened = 0
    void this.connect(this.turn)
  }

  private async connect(turn: number): Promise<void> {
    if (turn !== this.turn) return
    if (this.unopened >= SOCKET_TRIES) return this.pollFor(turn, POLLS_BEFORE_SOCKET)
    this.parts.onState('connecting')
    let opened = false
    const events: SocketEvents = {
      onOpen: () => {
        if (turn === this.turn) {
          opened = true
          this.opened()
        }
      },
      onFrame: (answer) => {
        if (turn === this.turn) this.take(answer)
      },
      onClose: () => {
        if (turn === this.turn) this.closed(turn, opened)
      },
    }
    try {
      const socket = await this.parts.open(this.since, events)
      if (turn === this.turn) this.socket = socket
      else socket.close()
    } catch {
      if (turn === this.turn) this.closed(turn, false)
    }
  }

  private opened(): void {
    this.failures = 0
    this.unopened = 0
    this.parts.onState('live')
  }

  private closed(turn: number, opened: boolean): void {
    this.socket = null
    if (!opened) this.unopened += 1
    this.again(turn)
  }

  private async pollFor(turn: number, times: number): Promise<void> {
    this.parts.onState('polling')
    for (let i = 0; i < times; i += 1) {
      try {
        const answer = await this.parts.poll(this.since)
        if (turn !== this.turn) return
        this.failures = 0
        this.take(answer)
      } catch {
        if (turn === this.turn) this.again(turn)
        return
      }
    }
    this.unopened = 0
    void this.connect(turn)
  }

  private take(answer: SyncAnswer): void {
    const fresh = answer.reset ? answer.events : answer.events.filter((event) => event.n > this.since)
    this.since = answer.reset ? answer.next : Math.max(this.since, answer.next)
    this.parts.onAnswer({ ...answer, events: fresh })
  }

  private again(turn: number): void {
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.failures)
    this.failures += 1
    this.parts.onState('waiting')
    // Half of the wait is left to chance: after a restart of the server the town's phones must not all call in the same second.
    this.cancelWait = this.parts.later(wait * (0.5 + this.parts.random() / 2), () => {
      this.cancelWait = null
      void this.connect(turn)
    })
  }
}
