/** An application that is being filled in, kept on the phone so that a call or an empty battery costs nothing. */
import type { Shelf } from './kv'
import type { Answer, FormField, MaterialRule } from './types'

export interface KeptFile {
  id: string
  name: string
  media_type: string
  size: number
}
export interface KeptMaterial {
  files: KeptFile[]
  commitment: boolean
}
export interface Draft {
  version: string
  form: Record<string, Answer>
  materials: Record<string, KeptMaterial>
  /** The authority by which somebody else applies. */
  behalf?: string
  saved_at: number
}

/** What a draft is measured by: the questions and papers that are asked for now. */
export interface Asked {
  code: string
  version: number | string
  form: { fields: FormField[] }
  materials: MaterialRule[]
}

const PREFIX = 'draft:'
/** The server keeps unused uploads for a limited time; an older draft keeps its answers and loses its files. */
const FILES_LIVE_MS = 3 * 24 * 3600 * 1000

const nameOf = (resident: string, item: string) => `${PREFIX}${resident}:${item}`

export function saveDraft(store: Shelf, resident: string, item: string, draft: Omit<Draft, 'saved_at'>, now = Date.now()): void {
  store.put(nameOf(resident, item), { ...draft, saved_at: now })
}

/** The kept draft cut down to what the guide still asks: a field or material that is gone from the item is gone from the draft. */
export function loadDraft(store: Shelf, resident: string, guide: Asked, now = Date.now()): Draft | null {
  const kept = store.get<Draft>(nameOf(resident, guide.code))
  if (!kept) return null
  const fields = new Set(guide.form.fields.map((field) => field.name))
  const codes = new Set(guide.materials.map((material) => material.code))
  const form = Object.fromEntries(Object.entries(kept.form).filter(([name]) => fields.has(name)))
  const fresh = now - kept.saved_at < FILES_LIVE_MS
  const materials = Object.fromEntries(
    Object.entries(kept.materials)
      .filter(([code]) => codes.has(code))
      .map(([code, one]) => [code, fresh ? one : { ...one, files: [] }]),
  )
  return { version: String(guide.version), form, materials, behalf: kept.behalf ?? '', saved_at: kept.saved_at }
}

export function dropDraft(store: Shelf, resident: string, item: string): void {
  store.drop(nameOf(resident, item))
}

/** On log-out nothing personal may stay on a phone that several people use. */
export function dropAllDrafts(store: Shelf): void {
  for (const key of store.keys()) if (key.startsWith(PREFIX) || key.startsWith('once:')) store.drop(key)
}
