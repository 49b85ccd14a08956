import { describe, expect, it } from 'vitest'
import { Problem } from '../../src/lib/api'
import { checkField, isCreditCode, isDate, isIdNumber, isPhone, tidied, today } from '../../src/lib/checks'
import { faultsOf, faultsOfProblem, formBody, materialsBody, pointerParts } from '../../src/lib/form'
import { field, material } from './helpers'

const file = { id: 'u1', name: 'a.jpg', media_type: 'image/jpeg', size: 1 }
const nothing = { files: [], commitment: false }

describe('single values', () => {
  it('checks the last character of identity numbers (GB 11643)', () => {
    expect(isIdNumber('11010519491231002X')).toBe(true)
    expect(isIdNumber('11010519491231002x')).toBe(true)
    expect(isIdNumber('110105194912310021')).toBe(false)
    expect(isIdNumber('11010519491331002X')).toBe(false)
  })

  it('checks the last character of credit codes (GB 32100)', () => {
    expect(isCreditCode('91350100M000100Y43')).toBe(true)
    expect(isCreditCode('91350100M000100Y44')).toBe(false)
    expect(isCreditCode('91350100I000100Y43')).toBe(false)
  })

  it('knows days that exist, and telephones', () => {
    expect([isDate('2024-02-29'), isDate('2025-02-29'), isDate('2025-2-1')]).toEqual([true, false, false])
    expect([isPhone('13800138000'), isPhone('0315-1234567'), isPhone('12345')]).toEqual([true, true, false])
  })

  it('takes the full-width digits of a Chinese keyboard', () => {
    const phone = field('phone', { type: 'phone' })
    expect(tidied(phone, ' １３８ ００１３８０００ ')).toBe('13800138000')
    expect(checkField(phone, '１３８００１３８０００')).toBeNull()
    expect(tidied(field('id', { type: 'id_number' }), '11010519491231002x')).toBe('11010519491231002X')
  })

  it('says which rule is broken', () => {
    expect(checkField(field('a'), '  ')).toEqual({ rule: 'required' })
    expect(checkField(field('a', { required: false }), '')).toBeNull()
    expect(checkField(field('a', { type: 'select' }), undefined)).toEqual({ rule: 'choose' })
    expect(checkField(field('a', { type: 'boolean' }), false)).toBeNull()
    expect(checkField(field('a', { type: 'boolean', must: true }), false)).toEqual({ rule: 'must' })
    expect(checkField(field('a', { type: 'integer' }), '1.5')).toEqual({ rule: 'integer' })
    expect(checkField(field('a', { type: 'number', min: 0 }), '-0.5')).toEqual({ rule: 'min', limit: 0 })
    expect(checkField(field('a', { type: 'integer', max: 30 }), '31')).toEqual({ rule: 'max', limit: 30 })
    expect(checkField(field('a', { max_length: 2 }), '三个字')).toEqual({ rule: 'max_length', limit: 2 })
    expect(checkField(field('a', { type: 'date', when: 'past' }), '2999-01-01')).toEqual({ rule: 'past' })
    expect(checkField(field('a', { type: 'date', when: 'future' }), today())).toBeNull()
  })
})

describe('a whole application', () => {
  const fields = [field('name'), field('age', { type: 'integer', required: false })]
  const materials = [
    material('M1'),
    material('M2', { tolerable: true }),
    material('M3', { source: 'form' }),
    material('M4', { commitment: true }),
  ]

  it('names what is missing in the order of the page; what may follow later or comes from the form is not missing', () => {
    const faults = faultsOf(fields, materials, {}, { M4: { files: [], commitment: true } })
    expect(faults.map((fault) => fault.target)).toEqual(['f-name', 'm-M1'])
  })

  it('sends numbers as numbers and nothing that is empty', () => {
    expect(formBody(fields, { name: ' 张秀兰 ', age: '７０' })).toEqual({ name: '张秀兰', age: 70 })
    expect(formBody(fields, { name: '张秀兰', age: '' })).toEqual({ name: '张秀兰' })
  })

  it('sends a promise only where no file is', () => {
    const kept = { M1: { files: [file], commitment: true }, M2: nothing, M4: { files: [], commitment: true } }
    expect(materialsBody(materials, kept)).toEqual([
      { material: 'M1', uploads: ['u1'] },
      { material: 'M4', commitment: true },
    ])
  })
})

describe('complaints of the server', () => {
  const problem = (pointer: string) => new Problem(422, 'invalid_form', '', '', 'r', [{ pointer, code: 'x', message: '请修改' }])
  const place = (pointer: string) =>
    faultsOfProblem(problem(pointer), [field('a/b'), field('name')], [material('M1')], [{ material: 'M1' }])[0]?.target

  it('find their field or material by JSON pointer', () => {
    expect(place('/form/name')).toBe('f-name')
    expect(place('/form/a~1b')).toBe('f-a/b')
    expect(place('/materials/M1')).toBe('m-M1')
    expect(place('/materials/0/uploads/2')).toBe('m-M1')
  })

  it('stay visible when their place is unknown', () => {
    expect(faultsOfProblem(problem('/on_behalf_of'), [], [])).toEqual([{ target: '', label: '', message: '请修改' }])
  })

  it('read escaped pointers (RFC 6901)', () => {
    expect(pointerParts('/form/a~1b~0c')).toEqual(['form', 'a/b~c'])
  })
})
