import { describe, expect, it } from 'vitest'
import { answeredFor, daysFromNow, KINDS, needsPaper, questions, spaced, usable } from '../../src/lib/proxies'
import type { Proxy } from '../../src/lib/types'

const one = (more: Partial<Proxy>) => ({ id: 'p', role: 'agent', kind: 'relative', state: 'active', scope: [], ...more }) as Proxy
const ids = (found: Proxy[]) => found.map((proxy) => proxy.id)

describe('the authorities that may be chosen', () => {
  it('are those in force, of a kind that fits, for every item applied for', () => {
    const all = [
      one({ id: 'all' }),
      one({ id: 'named', scope: [{ code: 'A', name: 'A' }] }),
      one({ id: 'waits', state: 'asked' }),
      one({ id: 'mine', role: 'principal' }),
      one({ id: 'firm', kind: 'company' }),
    ]
    expect(ids(usable(all, ['relative', 'mandate'], ['A']))).toEqual(['all', 'named'])
    expect(ids(usable(all, ['relative'], ['A', 'B']))).toEqual(['all'])
    expect(ids(usable(all, [], ['A']))).toEqual([])
  })
})

describe('what is asked for an authority', () => {
  it.each(KINDS)('names both persons and the last day for %s, each question once', (kind) => {
    const names = questions(kind).map((field) => field.name)
    expect(names).toEqual(expect.arrayContaining(['principal_name', 'principal_number', 'agent_name', 'agent_number', 'valid_to_on']))
    expect(new Set(names).size).toBe(names.length)
  })

  it('knows a firm by its credit code, a person by the ID number', () => {
    expect(questions('company').find((field) => field.name === 'principal_number')?.type).toBe('credit_code')
    expect(answeredFor('company')).toContain('credit_code')
    expect(answeredFor('guardian')).toContain('id_number')
  })

  it('needs a paper for mandates, guardians and firms, and for an adult who needs a guardian', () => {
    expect(KINDS.filter((kind) => needsPaper(kind, false))).toEqual(['guardian', 'mandate', 'company'])
    expect(needsPaper('relative', true)).toBe(true)
  })
})

it('reads a code out in two groups and counts days over the end of a month', () => {
  expect(spaced('12345678')).toBe('1234 5678')
  expect(daysFromNow(1, new Date(2026, 1, 28, 12))).toBe('2026-03-01')
})
