/** Which templates one tap may ask for. */
import type { Consent, Template } from './types'

/** WeChat takes one kind at a time (error 20002 otherwise) and old clients three ids; lasting ones go first, they ask only once. */
export function consentIds(templates: Template[]): string[] {
  const lasting = templates.filter((one) => one.kind === 'lasting' && !one.on)
  const chosen = lasting.length ? lasting : templates.filter((one) => one.kind === 'once')
  return chosen.slice(0, 3).map((one) => one.template_id)
}

export const acceptAll = (ids: string[]): Record<string, Consent> => Object.fromEntries(ids.map((id) => [id, 'accept' as const]))
