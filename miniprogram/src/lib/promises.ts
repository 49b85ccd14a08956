/** Papers that are not there yet: which commitment they need (容缺受理, 告知承诺), and what urgent aid lets follow (绿色通道). */
import type { KeptMaterial } from './draft'
import { isHandedIn } from './form'
import type { CommitmentText, MaterialRule, Signing } from './types'

export type PromiseKind = CommitmentText['kind']

/** True when this paper is asked of everybody and is not there. */
const isMissing = (rule: MaterialRule, kept: KeptMaterial | undefined) =>
  rule.required && !rule.condition && rule.source === 'upload' && !isHandedIn(kept)

/** The papers behind each commitment that has to be signed; empty when nothing has to be. */
export function promisedPapers(
  materials: MaterialRule[],
  kept: Record<string, KeptMaterial>,
  urgent = false,
): { kind: PromiseKind; names: string[] }[] {
  const follow = urgent ? [] : materials.filter((rule) => rule.tolerable && isMissing(rule, kept[rule.code]))
  const instead = materials.filter((rule) => kept[rule.code]?.commitment && !kept[rule.code]?.files.length)
  return [
    { kind: 'tolerated' as const, names: follow.map((rule) => rule.name) },
    { kind: 'commitment' as const, names: instead.map((rule) => rule.name) },
  ].filter((one) => one.names.length > 0)
}

/** Urgent aid asks for the papers that may be owed later on. */
export const asUrgent = (materials: MaterialRule[]): MaterialRule[] =>
  materials.map((rule) => (rule.may_be_owed ? { ...rule, required: false } : rule))

/** The texts to sign, each with the papers it is about; a kind without a text cannot be signed. */
export function toSign(
  promised: { kind: PromiseKind; names: string[] }[],
  texts: CommitmentText[],
): { text: CommitmentText; names: string[] }[] {
  return promised.flatMap(({ kind, names }) => texts.filter((one) => one.kind === kind).map((text) => ({ text, names })))
}

export const signed = (shown: { text: CommitmentText }[], name: string): Signing[] =>
  shown.map(({ text }) => ({ version: text.version, signed_by: name.trim() }))
