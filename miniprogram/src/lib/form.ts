/** From answers to a submission, and from complaints (ours or the server's) back to the places on the screen. */
import type { Problem } from './api'
import { checkField, tidied, type Complaint } from './checks'
import type { KeptMaterial } from './draft'
import type { Answer, FormField, HandedIn, MaterialRule } from './types'

/** One thing to mend. `target` is the id of the control on the page, '' when it belongs to the whole. */
export interface Fault {
  target: string
  label: string
  complaint?: Complaint
  message?: string
}

export const fieldId = (name: string) => `f-${name}`
export const materialId = (code: string) => `m-${code}`

/** True when this material need not be there at all: optional, made from the form, or allowed to follow later (容缺受理). */
export function mayBeMissing(material: MaterialRule): boolean {
  return !material.required || material.source === 'form' || material.tolerable
}

export function isHandedIn(kept: KeptMaterial | undefined): boolean {
  return kept !== undefined && (kept.commitment || kept.files.length > 0)
}

/** Everything that stands in the way of submission, in the order of the page. */
export function faultsOf(
  fields: FormField[],
  materials: MaterialRule[],
  form: Record<string, Answer>,
  kept: Record<string, KeptMaterial>,
): Fault[] {
  const faults: Fault[] = []
  for (const field of fields) {
    const complaint = checkField(field, form[field.name])
    if (complaint) faults.push({ target: fieldId(field.name), label: field.label, complaint })
  }
  for (const material of materials) {
    if (!mayBeMissing(material) && !isHandedIn(kept[material.code])) {
      faults.push({ target: materialId(material.code), label: material.name, complaint: { rule: 'required' } })
    }
  }
  return faults
}

/** The parts of a JSON pointer (RFC 6901). */
export function pointerParts(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'))
}

/** The server's complaints at their places. `sent` tells which material stood at a numeric pointer such as /materials/0/uploads. */
export function faultsOfProblem(problem: Problem, fields: FormField[], materials: MaterialRule[], sent: HandedIn[] = []): Fault[] {
  return problem.errors.map((error) => {
    const [room = '', part = ''] = pointerParts(error.pointer)
    // What is no application has its fields at the top: /principal_name.
    const field = room === 'form' || !part ? fields.find((one) => one.name === (part || room)) : undefined
    if (field) return { target: fieldId(field.name), label: field.label, message: error.message }
    const code = /^\d+$/.test(part) ? sent[Number(part)]?.material : part
    const material = room === 'materials' || !part ? materials.find((one) => one.code === (code || room)) : undefined
    if (material) return { target: materialId(material.code), label: material.name, message: error.message }
    return { target: '', label: '', message: error.message }
  })
}

/** The form as the server wants it: numbers as numbers, nothing empty. */
export function formBody(fields: FormField[], form: Record<string, Answer>): Record<string, Answer> {
  const body: Record<string, Answer> = {}
  for (const field of fields) {
    const value = tidied(field, form[field.name] ?? null)
    if (value === null || value === '') continue
    body[field.name] = field.type === 'integer' || field.type === 'number' ? Number(value) : value
  }
  return body
}

/** The materials as the server wants them; a promise (告知承诺) stands in only when no file is there. */
export function materialsBody(materials: MaterialRule[], kept: Record<string, KeptMaterial>): HandedIn[] {
  return materials.flatMap((material): HandedIn[] => {
    const one = kept[material.code]
    if (one && one.files.length) return [{ material: material.code, uploads: one.files.map((file) => file.id) }]
    return one?.commitment ? [{ material: material.code, commitment: true }] : []
  })
}
