import { describe, expect, it } from 'vitest'
import { asUrgent, promisedPapers, signed, toSign } from '../../src/lib/promises'
import { faultsOf } from '../../src/lib/form'
import type { CommitmentText } from '../../src/lib/types'
import { material } from './helpers'

const file = { id: 'u1', name: '证.jpg', media_type: 'image/jpeg', size: 1 }
const text = (kind: CommitmentText['kind']): CommitmentText => ({ kind, version: `${kind}-1`, title: '书', text: '承诺', basis: '依据' })

describe('papers that are not there yet', () => {
  const rules = [
    material('ID'),
    material('LATER', { tolerable: true, may_be_owed: true }),
    material('SOMETIMES', { tolerable: true, condition: '有重病患者' }),
    material('WORD', { commitment: true, may_be_owed: true }),
  ]

  it('need the commitment of their kind, and what is there needs none', () => {
    const promised = { ID: { files: [file], commitment: false }, WORD: { files: [], commitment: true } }
    expect(promisedPapers(rules, promised)).toEqual([
      { kind: 'tolerated', names: ['材料 LATER'] },
      { kind: 'commitment', names: ['材料 WORD'] },
    ])
    const whole = { LATER: { files: [file], commitment: false }, WORD: { files: [file], commitment: true } }
    expect(promisedPapers(rules, whole)).toEqual([])
  })

  it('follow urgent aid without a commitment, but never who one is', () => {
    expect(promisedPapers(rules, {}, true)).toEqual([])
    expect(faultsOf([], asUrgent(rules), {}, {}).map((fault) => fault.target)).toEqual(['m-ID'])
  })
})

describe('what is signed', () => {
  it('is the text that was shown, with the name as typed', () => {
    const shown = toSign([{ kind: 'tolerated', names: ['甲'] }], [text('tolerated'), text('commitment')])
    expect(signed(shown, ' 张三 ')).toEqual([{ version: 'tolerated-1', signed_by: '张三' }])
  })

  it('is nothing where the town has no text', () => {
    expect(toSign([{ kind: 'tolerated', names: ['甲'] }], [])).toEqual([])
  })
})
