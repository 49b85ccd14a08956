/** Rules for single values. The server decides; these only save a resident the walk there and back. */
import type { Answer, FormField } from './types'

const ID_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const CREDIT_ALPHABET = '0123456789ABCDEFGHJKLMNPQRTUWXY'
const CREDIT_WEIGHTS = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28]

/** YYYY-MM-DD of a day that exists. */
export function isDate(text: string): boolean {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (!found) return false
  const date = new Date(Date.UTC(Number(found[1]), Number(found[2]) - 1, Number(found[3])))
  return date.toISOString().slice(0, 10) === text
}

/** Citizen identification number with its check character (GB 11643-1999). */
export function isIdNumber(text: string): boolean {
  if (!/^\d{17}[\dXx]$/.test(text)) return false
  if (!isDate(`${text.slice(6, 10)}-${text.slice(10, 12)}-${text.slice(12, 14)}`)) return false
  const sum = ID_WEIGHTS.reduce((total, weight, i) => total + weight * Number(text[i]), 0)
  return '10X98765432'[sum % 11] === text[17]?.toUpperCase()
}

/** Unified social credit code with its check character (GB 32100-2015). */
export function isCreditCode(text: string): boolean {
  const code = text.toUpperCase()
  if (!/^[0-9A-HJ-NPQRTUWXY]{18}$/.test(code)) return false
  const sum = CREDIT_WEIGHTS.reduce((total, weight, i) => total + weight * CREDIT_ALPHABET.indexOf(code[i] as string), 0)
  return CREDIT_ALPHABET[(31 - (sum % 31)) % 31] === code[17]
}

/** Mainland mobile number, or a landline with its area code. */
export function isPhone(text: string): boolean {
  return /^1[3-9]\d{9}$/.test(text) || /^0\d{2,3}-?\d{7,8}$/.test(text)
}

export type Complaint =
  | { rule: 'required' | 'choose' | 'date' | 'id_number' | 'phone' | 'credit_code' | 'integer' | 'number' | 'past' | 'future' | 'must' }
  | { rule: 'min' | 'max' | 'max_length'; limit: number }

/** Full-width digits and letters that a Chinese keyboard makes become plain ones; blanks at the ends go. */
export function tidied(field: FormField, raw: Answer): Answer {
  if (typeof raw !== 'string') return raw
  const text = raw.trim()
  if (!['integer', 'number', 'date', 'id_number', 'phone', 'credit_code'].includes(field.type)) return text
  const plain = text.normalize('NFKC').replace(/\s/g, '')
  return field.type === 'id_number' || field.type === 'credit_code' ? plain.toUpperCase() : plain
}

/** Today in the resident's own time zone, YYYY-MM-DD. */
export function today(now = new Date()): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
}

function checkDate(field: FormField, text: string): Complaint | null {
  if (!isDate(text)) return { rule: 'date' }
  if (field.when === 'past' && text > today()) return { rule: 'past' }
  if (field.when === 'future' && text < today()) return { rule: 'future' }
  return null
}

function checkNumber(field: FormField, text: string): Complaint | null {
  if (field.type === 'integer' && !/^-?\d+$/.test(text)) return { rule: 'integer' }
  const value = Number(text)
  if (!Number.isFinite(value)) return { rule: 'number' }
  if (typeof field.min === 'number' && value < field.min) return { rule: 'min', limit: field.min }
  if (typeof field.max === 'number' && value > field.max) return { rule: 'max', limit: field.max }
  return null
}

/** What is wrong with one answer, or null. */
export function checkField(field: FormField, raw: Answer | undefined): Complaint | null {
  const value = tidied(field, raw ?? null)
  if (field.must && value !== true) return { rule: 'must' }
  if (value === null || value === '') {
    if (!field.required) return null
    return { rule: field.type === 'select' || field.type === 'boolean' ? 'choose' : 'required' }
  }
  const text = String(value)
  if (field.type === 'integer' || field.type === 'number') return checkNumber(field, text)
  if (field.type === 'date') return checkDate(field, text)
  if (field.type === 'id_number' && !isIdNumber(text)) return { rule: 'id_number' }
  if (field.type === 'phone' && !isPhone(text)) return { rule: 'phone' }
  if (field.type === 'credit_code' && !isCreditCode(text)) return { rule: 'credit_code' }
  if (typeof field.max_length === 'number' && text.length > field.max_length) return { rule: 'max_length', limit: field.max_length }
  return null
}
