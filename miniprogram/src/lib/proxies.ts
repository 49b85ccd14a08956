/** Acting for others: what is asked of whom, and which authority fits what is applied for. */
import { t } from './i18n'
import type { FormField, Proxy, ProxyKind } from './types'

export const KINDS: ProxyKind[] = ['relative', 'guardian', 'mandate', 'village_clerk', 'company']
const RELATIONS = ['child', 'grandchild', 'spouse', 'parent', 'grandparent', 'sibling', 'relative', 'committee'] as const
const WITH_RELATION: ProxyKind[] = ['guardian', 'relative']

export const needsPaper = (kind: ProxyKind, incapable: boolean) => ['guardian', 'mandate', 'company'].includes(kind) || incapable

/** The questions for a kind of authority; what they are called is what the server calls them. */
export function questions(kind: ProxyKind): FormField[] {
  const firm = kind === 'company'
  const asked: (FormField | false)[] = [
    { name: 'principal_name', label: t(firm ? 'proxy.firmName' : 'proxy.principalName'), type: 'text', required: true, max_length: 100 },
    {
      name: 'principal_number',
      label: t(firm ? 'proxy.firmNumber' : 'proxy.principalNumber'),
      type: firm ? 'credit_code' : 'id_number',
      required: true,
    },
    WITH_RELATION.includes(kind) && {
      name: 'relation',
      label: t('proxy.relation'),
      type: 'select',
      required: true,
      options: RELATIONS.map((value) => ({ value, label: t(`proxy.is.${value}`) })),
    },
    kind === 'guardian' && { name: 'incapable', label: t('proxy.incapable'), type: 'boolean', required: false },
    kind === 'village_clerk' && { name: 'village', label: t('proxy.village'), type: 'text', required: true, max_length: 12, help: t('proxy.villageHelp') },
    { name: 'agent_name', label: t('proxy.agentName'), type: 'text', required: true, max_length: 50 },
    { name: 'agent_number', label: t('proxy.agentNumber'), type: 'id_number', required: true },
    { name: 'valid_to_on', label: t('proxy.until'), type: 'date', required: true, when: 'future', help: t(`proxy.longest.${kind}`) },
  ]
  return asked.filter((one): one is FormField => one !== false)
}

/** The authorities by which this account may apply for all of these items. */
export function usable(proxies: Proxy[], kinds: ProxyKind[], items: string[]): Proxy[] {
  return proxies.filter(
    (one) =>
      one.role === 'agent' &&
      one.state === 'active' &&
      kinds.includes(one.kind) &&
      items.every((code) => !one.scope.length || one.scope.some((item) => item.code === code)),
  )
}

/** The questions that the office answers itself, because it knows the principal. */
export const answeredFor = (kind: ProxyKind) => ['applicant_name', kind === 'company' ? 'credit_code' : 'id_number']

/** Eight digits in two groups, as one reads them out. */
export const spaced = (code: string) => `${code.slice(0, 4)} ${code.slice(4)}`

/** A day so many days from now, YYYY-MM-DD. */
export function daysFromNow(days: number, now = new Date()): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const at = new Date(now.getTime() + days * 86_400_000)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}
