// @vitest-environment jsdom
import { describe, expect, it, vi } from 'vitest'
import { followAddresses, partsOf } from '../../src/lib/addresses-h5'

function type(hash: string, state: unknown = null): void {
  history.replaceState(state, '', hash)
  window.dispatchEvent(new PopStateEvent('popstate', { state }))
}

describe('an address from outside', () => {
  it('is a page and what it is asked for', () => {
    expect(partsOf('#/pages/guide/index?code=MZ-01')).toEqual(['/pages/guide/index', 'code=MZ-01'])
    expect(partsOf('')).toEqual(['', ''])
  })

  it('reloads when its page was opened for something else, and only then', () => {
    const reload = vi.fn()
    history.replaceState(null, '', '#/pages/guide/index?code=MZ-01')
    followAddresses(reload)
    type('#/pages/cases/index')
    type('#/pages/guide/index?code=MZ-01')
    type('#/pages/guide/index?code=SJ-03', { current: '/pages/guide/index?code=SJ-03' })
    expect(reload).not.toHaveBeenCalled()
    type('#/pages/guide/index?code=SJ-03')
    expect(reload).toHaveBeenCalledOnce()
  })
})
