import { describe, expect, it } from 'vitest'
import { LiveLine, type LineState, type SocketEvents } from '../../src/lib/stream'
import type { AccountEvent, SyncAnswer } from '../../src/lib/types'

const event = (n: number) => ({ n, type: 'case.accepted', title: `${n}` }) as AccountEvent
const answer = (...ns: number[]): SyncAnswer => ({ events: ns.map(event), next: Math.max(0, ...ns), unread: ns.length })

/** The world around a line: sockets that the test opens and breaks, waits that it ends. */
function worldOf() {
  const world = {
    opened: [] as { since: number; events: SocketEvents; closed: boolean }[],
    polls: [] as { since: number; resolve: (one: SyncAnswer) => void; reject: (error: Error) => void }[],
    waits: [] as { ms: number; work: () => void }[],
    heard: [] as number[],
    states: [] as LineState[],
    refuseOpen: false,
  }
  const line = new LiveLine({
    open: async (since, events) => {
      if (world.refuseOpen) throw new Error('no socket')
      const socket = { since, events, closed: false }
      world.opened.push(socket)
      return {
        close: () => {
          socket.closed = true
        },
      }
    },
    poll: (since) =>
      new Promise((resolve, reject) => {
        world.polls.push({ since, resolve, reject })
      }),
    later: (ms, work) => {
      const wait = { ms, work }
      world.waits.push(wait)
      return () => {
        world.waits = world.waits.filter((one) => one !== wait)
      }
    },
    random: () => 1,
    onAnswer: (one) => world.heard.push(...one.events.map(({ n }) => n)),
    onState: (state) => world.states.push(state),
  })
  return { world, line }
}

const settle = () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve)
  })
type World = ReturnType<typeof worldOf>['world']
const last = (world: World) => world.opened[world.opened.length - 1] as World['opened'][number]

async function endWait(world: World): Promise<number> {
  const wait = world.waits.shift() as { ms: number; work: () => void }
  wait.work()
  await settle()
  return wait.ms
}

describe('the live line', () => {
  it('opens again from the last position, waiting longer each time, and starts over once it stood', async () => {
    const { world, line } = worldOf()
    line.start(5)
    await settle()
    last(world).events.onOpen()
    last(world).events.onFrame(answer(6, 7))
    last(world).events.onClose()
    const waits = [await endWait(world)]
    expect(last(world).since).toBe(7)
    last(world).events.onClose()
    waits.push(await endWait(world))
    last(world).events.onOpen()
    last(world).events.onClose()
    waits.push(await endWait(world))
    expect(waits).toEqual([1000, 2000, 1000])
    expect(world.heard).toEqual([6, 7])
  })

  it('never waits longer than half a minute', async () => {
    const { world, line } = worldOf()
    world.refuseOpen = true
    line.start(0)
    await settle()
    for (let i = 0; i < 3; i += 1) await endWait(world)
    for (let i = 0; i < 6; i += 1) {
      world.polls.pop()?.reject(new Error('down'))
      await settle()
      expect(await endWait(world)).toBeLessThanOrEqual(30_000)
    }
    expect(world.polls.length).toBe(1)
  })

  it('tells each event once, whatever is sent twice', async () => {
    const { world, line } = worldOf()
    line.start(0)
    await settle()
    last(world).events.onFrame(answer(1, 2))
    last(world).events.onFrame(answer(2, 3))
    expect(world.heard).toEqual([1, 2, 3])
    expect(line.position).toBe(3)
  })

  it('goes back with a reset of the server', async () => {
    const { world, line } = worldOf()
    line.start(90)
    await settle()
    last(world).events.onFrame({ ...answer(4), next: 4, reset: true })
    expect([world.heard, line.position]).toEqual([[4], 4])
  })

  it('polls when sockets never open, and tries a socket again after a while', async () => {
    const { world, line } = worldOf()
    world.refuseOpen = true
    line.start(3)
    await settle()
    for (let i = 0; i < 3; i += 1) await endWait(world)
    expect(world.states.at(-1)).toBe('polling')
    world.refuseOpen = false
    for (let n = 4; n < 12; n += 1) {
      world.polls.at(-1)?.resolve(answer(n))
      await settle()
    }
    expect(world.polls.map((poll) => poll.since)).toEqual([3, 4, 5, 6, 7, 8, 9, 10])
    expect(last(world).since).toBe(11)
  })

  it('says nothing more after it was stopped, and closes a socket that came too late', async () => {
    const { world, line } = worldOf()
    line.start(0)
    line.stop()
    await settle()
    last(world).events.onFrame(answer(1))
    last(world).events.onClose()
    expect([world.heard, world.waits, last(world).closed]).toEqual([[], [], true])
  })

  it('does not sit out its wait when the network is back', async () => {
    const { world, line } = worldOf()
    line.start(0)
    await settle()
    last(world).events.onClose()
    line.wake()
    await settle()
    expect([world.opened.length, world.waits.length]).toEqual([2, 0])
  })
})
