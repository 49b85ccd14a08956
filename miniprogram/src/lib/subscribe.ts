/** Which templates one tap may ask for, and the tap itself. */
import type { Consent, Template } from './types'

/** WeChat takes one kind at a time (error 20002 otherwise) and old clients three ids; lasting ones go first, they ask only once. */
export function consentIds(templates: Template[]): string[] {
  const lasting = templates.filter((one) => one.kind === 'lasting' && !one.on)
  const chosen = lasting.length ? lasting : templates.filter((one) => one.kind === 'once')
  return chosen.slice(0, 3).map((one) => one.template_id)
}

/** In the demonstration on H5: the tap on "allow" in the dialog of the pretend WeChat, which keeps its own book of consents. */
export async function pretendTap(wechat: string, user: string, ids: string[]): Promise<Record<string, Consent>> {
  const results: Record<string, Consent> = Object.fromEntries(ids.map((id) => [id, 'accept' as const]))
  const answer = await uni.request({ url: `${wechat}/sandbox/taps`, method: 'POST', data: { user, results }, timeout: 8000 })
  if (answer.statusCode !== 200 || (answer.data as { errCode?: number }).errCode) throw new Error('the dialog did not open')
  return results
}
