import { describe, expect, it } from 'vitest'
import { dropAllDrafts, dropDraft, loadDraft, saveDraft } from '../../src/lib/draft'
import { memoryShelf } from '../../src/lib/kv'
import { field, guideOf, material } from './helpers'

const HOUR = 3600 * 1000
const guide = guideOf([field('name'), field('phone')], [material('M1'), material('M2')])
const file = { id: 'u1', name: '照片.jpg', media_type: 'image/jpeg', size: 1000 }
const draft = {
  version: '1',
  form: { name: '张秀兰', gone: '旧题' },
  materials: { M1: { files: [file], commitment: false }, OLD: { files: [], commitment: true } },
}

describe('a draft', () => {
  it('comes back without the questions and materials that the item no longer asks', () => {
    const store = memoryShelf()
    saveDraft(store, 'r1', 'MZ-01', draft, 1000)
    expect(loadDraft(store, 'r1', guide, 2000)).toMatchObject({
      form: { name: '张秀兰' },
      materials: { M1: { files: [file] } },
      saved_at: 1000,
    })
    expect(Object.keys(loadDraft(store, 'r1', guide, 2000)?.form ?? {})).toEqual(['name'])
  })

  it('keeps its answers and loses its files when the server has long thrown them away', () => {
    const store = memoryShelf()
    saveDraft(store, 'r1', 'MZ-01', draft, 0)
    const kept = loadDraft(store, 'r1', guide, 100 * HOUR)
    expect(kept?.form.name).toBe('张秀兰')
    expect(kept?.materials.M1?.files).toEqual([])
  })

  it('belongs to one resident and one item', () => {
    const store = memoryShelf()
    saveDraft(store, 'r1', 'MZ-01', draft)
    expect(loadDraft(store, 'r2', guide)).toBeNull()
    dropDraft(store, 'r1', 'MZ-01')
    expect(loadDraft(store, 'r1', guide)).toBeNull()
  })

  it('leaves the phone with the log-out, as do open attempts; other things stay', () => {
    const store = memoryShelf()
    saveDraft(store, 'r1', 'MZ-01', draft)
    store.put('once:submit:MZ-01', { key: 'k' })
    store.put('prefs', { large: true })
    dropAllDrafts(store)
    expect(store.keys()).toEqual(['prefs'])
  })
})
