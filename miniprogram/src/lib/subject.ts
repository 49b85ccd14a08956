/** What is applied for: one service, a bundle with the parts chosen, or a part of a bundle whose turn has come. */
import { formBody, materialsBody } from './form'
import type { Asked, KeptMaterial } from './draft'
import type { Shelf } from './kv'
import { once } from './once'
import type { Client } from './api'
import type { Answer, Bundle, Case, FormField, Guide, HandedIn, MaterialRule, ProxyKind, Signing, Umbrella } from './types'

/** What goes with the form and the papers: commitments signed, urgent aid asked for, the authority by which somebody else applies. */
export interface Extras {
  commitments?: Signing[]
  on_behalf_of?: string
  urgent?: { reason: string }
}
export interface Subject extends Asked {
  name: string
  /** Urgent aid: decided within so many hours, papers follow within so many working days; null where the item knows none. */
  green: { hours: number; days: number } | null
  /** Who may act for the applicant, and the items that an authority has to cover; nobody where the applicant is known already. */
  kinds: ProxyKind[]
  items: string[]
  /** What has been handed in before, where the office has it. */
  form0: Record<string, Answer>
  materials0: Record<string, KeptMaterial>
  /** Hands it in; the page that comes next. */
  submit(form: Record<string, Answer>, materials: HandedIn[], extras: Extras): Promise<string>
}
export interface Wanted {
  code?: string
  bundle?: string
  parts?: string
  part?: string
}

export const addressOf = (wanted: Wanted) =>
  `/pages/apply/index?${Object.entries(wanted)
    .map(([name, value]) => `${name}=${value}`)
    .join('&')}`

export function subjectOf(api: Client, store: Shelf, wanted: Wanted): Promise<Subject> {
  if (wanted.part) return partOf(api, store, wanted.part)
  return wanted.bundle ? bundleOf(api, store, wanted.bundle, wanted.parts ?? '') : itemOf(api, store, wanted.code ?? '')
}

async function itemOf(api: Client, store: Shelf, code: string): Promise<Subject> {
  const guide = await api.get<Guide>(`/items/${code}`)
  return {
    ...asked(code, guide.version, guide.form.fields, guide.materials),
    name: guide.name,
    green: guide.green_channel ? { hours: guide.urgent_hours ?? 48, days: guide.owed_days ?? 5 } : null,
    kinds: guide.proxy_kinds,
    items: [code],
    submit: async (form, materials, extras) => {
      const body = { item: code, form, materials, submit: true, ...extras }
      const made = await once(store, `submit:${code}`, body, (key) => api.post<Case>('/cases', body, { 'Idempotency-Key': key }))
      return `/pages/result/index?id=${made.id}`
    },
  }
}

async function bundleOf(api: Client, store: Shelf, code: string, parts: string): Promise<Subject> {
  const guide = await api.get<Bundle>(`/bundles/${code}`, { parts })
  return {
    ...asked(code, parts, guide.form.fields, guide.materials),
    name: guide.name,
    kinds: guide.proxy_kinds,
    items: [...guide.items.filter((item) => item.required).map((item) => item.code), ...(parts ? parts.split(',') : [])],
    submit: async (form, materials, { commitments, on_behalf_of }) => {
      const chosen = parts ? parts.split(',') : []
      const body = { bundle: code, parts: chosen, form, materials, submit: true, commitments, on_behalf_of }
      const made = await once(store, `submit:${code}`, body, (key) => api.post<Umbrella>('/cases', body, { 'Idempotency-Key': key }))
      return `/pages/umbrella/index?id=${made.id}`
    },
  }
}

/** A certificate that the office has itself is not asked for again. */
async function partOf(api: Client, store: Shelf, id: string): Promise<Subject> {
  const one = await api.get<Case & { umbrella_id: string | null }>(`/cases/${id}`)
  const guide = await api.get<Guide>(`/items/${one.item.code}`)
  const issued = new Set(one.materials.filter((paper) => paper.source === 'certificate').map((paper) => paper.material))
  return {
    ...asked(id, one.version, guide.form.fields, guide.materials.filter((rule) => !issued.has(rule.code))),
    name: one.item.name,
    form0: one.form,
    materials0: Object.fromEntries(
      one.materials.map((paper) => [
        paper.material,
        { files: paper.uploads.map((file) => ({ ...file, size: 0 })), commitment: paper.source === 'commitment' },
      ]),
    ),
    submit: async (form, materials, { commitments }) => {
      const now = await api.get<Case>(`/cases/${id}`)
      await api.ask<Case>('PUT', `/cases/${id}`, { body: { form, materials, commitments }, headers: { 'If-Match': `"v${now.version}"` } })
      const path = `/cases/${id}/submit`
      await once(store, `submit:${id}`, { form, materials }, (key) => api.post<Case>(path, {}, { 'Idempotency-Key': key }))
      return `/pages/umbrella/index?id=${one.umbrella_id}`
    },
  }
}

function asked(code: string, version: number | string, fields: FormField[], materials: MaterialRule[]) {
  return { code, version, form: { fields }, materials, form0: {}, materials0: {}, green: null, kinds: [], items: [] }
}

/** The answers as the server takes them. */
export const bodyOf = (subject: Asked, form: Record<string, Answer>, kept: Record<string, KeptMaterial>) => ({
  form: formBody(subject.form.fields, form),
  materials: materialsBody(subject.materials, kept),
})
