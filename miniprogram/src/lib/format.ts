/** Dates, limits and sizes in words. No Intl: old phones' web views know it only in part. */
import { t, word } from './i18n'
import { prefs } from './prefs'
import type { Audience, ItemSummary, Limit } from './types'

const two = (value: number) => String(value).padStart(2, '0')

/** The town's clock, whatever the phone's says: China has one time zone, UTC+8. Read with the UTC getters. */
const townTime = (text: string) => new Date(Date.parse(text) + 8 * 3600 * 1000)

/** A date (YYYY-MM-DD) or a moment (RFC 3339) as a day in town: 2026年3月5日 / 2026-03-05. */
export function day(text: string | null | undefined): string {
  if (!text) return ''
  const at = text.length > 10 ? townTime(text) : new Date(`${text}T00:00:00Z`)
  return prefs.language === 'zh'
    ? `${at.getUTCFullYear()}年${at.getUTCMonth() + 1}月${at.getUTCDate()}日`
    : `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`
}

/** A moment with hours and minutes as the town's clock shows them; the year only where it is another one. */
export function moment(text: string | null | undefined): string {
  if (!text) return ''
  const at = townTime(text)
  const isThisYear = at.getUTCFullYear() === new Date().getFullYear()
  const date = isThisYear && prefs.language === 'zh' ? `${at.getUTCMonth() + 1}月${at.getUTCDate()}日` : day(text)
  return `${date} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`
}

/** "5 个工作日"; 0 days = while you wait. */
export function limitText(limit: Limit | null | undefined): string {
  if (!limit) return t('limit.none')
  if (limit.days === 0) return t('limit.now')
  const natural = limit.unit === 'natural' || limit.unit === '自然日'
  return t(natural ? 'limit.natural' : 'limit.working', { days: limit.days })
}

export function visitsText(visits: number): string {
  return visits === 0 ? t('visits.none') : t('visits.some', { visits })
}

/** True when nothing is to be paid: no text about a fee. */
export const isFree = (fee: ItemSummary['fee']) => !fee
export const feeText = (fee: ItemSummary['fee']) => (isFree(fee) ? t('fee.free') : typeof fee === 'string' ? fee : t('fee.paid'))

export function audienceText(audience: Audience | Audience[]): string {
  const all = Array.isArray(audience) ? audience : [audience]
  return all.map((one) => t(one === 'org' ? 'audience.org' : 'audience.person')).join(t('list.and'))
}

export const levelText = (level: string) => word(`level.${level}`, level)

/** Bytes as people say them: 830 KB, 2.4 MB. */
export function sizeText(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.max(1, Math.round(bytes / 1024))} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`
}
