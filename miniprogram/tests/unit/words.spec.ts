import { describe, expect, it } from 'vitest'
import { en } from '../../src/lib/words-en'
import { zh } from '../../src/lib/words-zh'
import { consentIds } from '../../src/lib/subscribe'
import { utf8 } from '../../src/lib/utf8'
import type { Template } from '../../src/lib/types'

const gaps = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort()

describe('the two word tables', () => {
  it.each(Object.keys(zh) as (keyof typeof zh)[])('%s has the same gaps in both and is never empty', (key) => {
    expect(gaps(en[key])).toEqual(gaps(zh[key]))
    expect(zh[key].trim() && en[key].trim()).toBeTruthy()
  })
})

describe('what one tap may ask WeChat for', () => {
  const template = (id: string, kind: 'once' | 'lasting', on = false) => ({ template_id: id, kind, on }) as Template

  it('is one kind only, lasting first, three at most', () => {
    expect(consentIds([template('a', 'once'), template('b', 'lasting')])).toEqual(['b'])
    expect(consentIds([template('a', 'once'), template('b', 'lasting', true)])).toEqual(['a'])
    expect(consentIds(['1', '2', '3', '4'].map((id) => template(id, 'once')))).toEqual(['1', '2', '3'])
  })
})

describe('bytes of a socket', () => {
  it('become Chinese text, with and without TextDecoder', () => {
    const bytes = new TextEncoder().encode('{"title":"已受理"}').buffer as ArrayBuffer
    const decoder = globalThis.TextDecoder
    expect(utf8(bytes)).toBe('{"title":"已受理"}')
    Reflect.deleteProperty(globalThis, 'TextDecoder')
    try {
      expect(utf8(bytes)).toBe('{"title":"已受理"}')
    } finally {
      globalThis.TextDecoder = decoder
    }
  })
})
