/** The words of a complaint. */
import type { Complaint } from './checks'
import type { Fault } from './form'
import { t } from './i18n'

export function complaintText(complaint: Complaint): string {
  return t(`rule.${complaint.rule}`, 'limit' in complaint ? { limit: complaint.limit } : {})
}

export const faultText = (fault: Fault) => fault.message ?? (fault.complaint ? complaintText(fault.complaint) : '')
