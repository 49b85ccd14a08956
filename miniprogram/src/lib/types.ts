/** What the town's API says, field by field (base /api/v1). The server is the authority; these shapes are what the screens rely on. */

export interface Named {
  code: string
  name: string
}
export interface Limit {
  days: number
  unit: string
}

export interface Preferences {
  large_text: boolean
  language: Language
  push: boolean
}
export type Language = 'zh' | 'en'
export interface Resident {
  id: string
  name: string
  phone: string | null
  identity_level: number | string
  preferences: Preferences | null
}
export interface SignIn {
  access_token: string
  token_type: string
  expires_in: number
  refresh_token: string
  resident?: Resident
}

export interface Page<T> {
  items: T[]
  next_cursor: string | number | null
}

export interface ItemSummary {
  code: string
  name: string
  type: string
  handling: string
  department: Named
  audience: Audience | Audience[]
  promised: Limit
  legal: Limit | null
  visits: number
  online: boolean
  fee: boolean | string | null
  events: string[]
}
export type Audience = 'person' | 'org'
export interface BundleSummary {
  code: string
  name: string
  lead: Named
  promised: Limit
  items: Named[]
}
export interface BundleItem extends Named {
  department: Named
  promised: Limit
  required: boolean
  stage: number | null
}
/** Several services as one; `form` and `materials` are those of the parts asked for. */
export interface Bundle extends Omit<BundleSummary, 'items'> {
  items: BundleItem[]
  form: { fields: FormField[] }
  materials: MaterialRule[]
  proxy_kinds: ProxyKind[]
  later: { item: Named; fields: string[]; materials: string[]; why: string }[]
  applicant: string | null
  choose: string | null
  conditions: string | null
  notes: string | null
}

export type FieldType =
  | 'text'
  | 'textarea'
  | 'integer'
  | 'number'
  | 'date'
  | 'select'
  | 'boolean'
  | 'id_number'
  | 'phone'
  | 'credit_code'
  | 'address'
export interface Option {
  value: string
  label: string
}
export interface FormField {
  name: string
  label: string
  type: FieldType
  required: boolean
  max_length?: number | null
  min?: number | null
  max?: number | null
  options?: Option[] | null
  help?: string | null
  /** A date not after ("past") or not before ("future") today. */
  when?: 'past' | 'future' | null
  /** A promise that has to be ticked. */
  must?: boolean
}
export interface MaterialRule {
  code: string
  name: string
  required: boolean
  certificate_type: string | null
  condition: string | null
  tolerable: boolean
  commitment: boolean
  /** May follow urgent aid (绿色通道). */
  may_be_owed?: boolean
  source: 'upload' | 'form'
}
/** A text that applicants sign. */
export interface CommitmentText {
  kind: 'tolerated' | 'commitment'
  version: string
  title: string
  text: string
  basis: string
}
export interface Signing {
  version: string
  signed_by: string
}
/** A paper that may follow; `due_on` is set at acceptance. */
export interface Debt {
  material: string
  name: string
  kind: 'owed' | 'tolerated' | 'commitment'
  due_on: string | null
  provisional: boolean
  state: 'open' | 'lapsed' | 'supplied' | 'kept' | 'broken' | 'waived'
  /** Nobody has settled it: it may come in, even late. */
  open: boolean
  note: string | null
}
export type ProxyKind = 'guardian' | 'relative' | 'mandate' | 'village_clerk' | 'company'
/** An authority to act for somebody, as its agent or its principal sees it (`role`). */
export interface Proxy {
  id: string
  role: 'agent' | 'principal'
  kind: ProxyKind
  state: 'asked' | 'active' | 'refused' | 'revoked' | 'ended'
  principal_name: string
  principal_number: string
  agent_name: string
  minor: boolean
  /** None = everything that the kind may do. */
  scope: Named[]
  valid_to_on: string
  confirmed: boolean
  reason: string | null
  /** What the agent tells his principal, who confirms with it. */
  code: string | null
}
/** Who acts for whom in a case; in lists both names are masked. */
export interface Behalf {
  kind: ProxyKind
  agent_id: string
  agent_name: string
  principal_name: string
  minor: boolean
}
export interface DepartmentStep {
  department: Named
  action: string
  days: number | null
  mode: 'parallel' | 'serial'
}
export interface Guide extends Omit<ItemSummary, 'events'> {
  version: number | string
  accept_level: string
  decide_level: string
  result: string | null
  certificate_type: string | null
  form: { fields: FormField[] }
  materials: MaterialRule[]
  departments: DepartmentStep[]
  proxy_kinds: ProxyKind[]
  green_channel?: boolean
  urgent_hours?: number
  owed_days?: number
  special_procedures: { name: string; days: number | null; unit?: string }[]
  steps: { name: string; days?: number | null; unit?: string; text?: string }[]
  announcement: { days: number; unit: string; place?: string } | null
  basis: { kind: 'source' | 'mixed' | 'belief'; source: string | null }
  notes: string | string[] | null
}

export type PublicState = 'draft' | 'with_office' | 'needs_you' | 'decided' | 'completed'
export interface CaseSummary {
  id: string
  number: string | null
  item: { code: string; name: string }
  state: string
  state_name: string
  public_state: PublicState
  submitted_at: string | null
  promised_on: string | null
  updated_at: string | null
  on_behalf_of: Behalf | null
  paused: boolean
}
/** One part of a bundle somebody applied for; `waiting`: its turn has not come. */
export interface UmbrellaPart {
  case_id: string
  number: string | null
  code: string
  name: string
  department: Named
  stage: number
  waiting: boolean
  waits_for: string[]
  state: string
  state_name: string
  public_state: PublicState
  promised_on: string | null
  decision: 'granted' | 'refused' | null
  reason: string | null
}
export interface Umbrella {
  id: string
  number: string
  bundle: Named
  department: Named
  public_state: PublicState
  created_at: string
  promised_on: string
  finished_at: string | null
  parts: UmbrellaPart[]
}
export interface Task {
  id: string
  department: Named
  step: 'accept' | 'review' | 'decide'
  action: string
  state: string
  result: string | null
  opinion: string | null
  due_on: string | null
  answered_at: string | null
}
export interface Correction {
  reason: string
  fields: { name: string; message: string }[]
  materials: { material: string; message: string }[]
}
export type Answer = string | number | boolean | null
export interface Procedure {
  id: string
  name: string
  department: string
  began_at: string
  due_on: string | null
  ended_at: string | null
}
export interface Delivery {
  method: 'counter' | 'post' | 'electronic'
  due_on: string | null
  provisional: boolean
  carrier: string | null
  tracking: string | null
  sent_at: string | null
  delivered_at: string | null
}
export interface Case extends CaseSummary {
  department: Named
  version: number
  created_at: string
  accepted_at: string | null
  legal_on: string | null
  provisional: boolean
  decision: 'granted' | 'refused' | null
  reason: string | null
  decided_at: string | null
  completed_at: string | null
  correction: Correction | null
  correction_due_on: string | null
  procedures: Procedure[]
  extensions: { days: number; granted_on: string }[]
  delivery: Delivery | null
  remedy: { text: string; review_until_on: string; court_until_on: string } | null
  form: Record<string, Answer>
  materials: { material: string; name: string; source: string; uploads: { id: string; name: string; media_type: string }[] }[]
  tasks: Task[]
  receipt_code: string | null
  evaluation: { level: number } | null
  owing: boolean
  debts: Debt[]
  urgency: { asked_at: string; decide_by: string } | null
  revocation: { at: string; reason: string; remedy: { text: string } } | null
}
export interface CaseEvent {
  seq: number
  type: string
  title: string
  at: string
  actor: { kind: string; name: string | null } | null
  reason: string | null
  data: Record<string, unknown> | null
}
export interface DueStep {
  on: string
  text: string
  text_en: string
}
/** `due_at` only where the town counts by the second; `days_left` while the clock stands still. */
export interface DueDate {
  due_on: string | null
  due_at: string | null
  days_left: number | null
  provisional: boolean
  steps: DueStep[]
}
export interface DueDates {
  promised: DueDate | null
  legal: DueDate | null
  levels: { level: string; due_on: string; done_at: string | null; step: DueStep }[]
}

export interface Expectation {
  basis: 'item' | 'department' | 'promise'
  cases: number
  half_days: number | null
  most_days: number | null
  used_days: number | null
  left_days: number | null
  text: string
  text_en: string
}

export interface Upload {
  id: string
  state: string
  name: string
  media_type: string
  size: number
  pages?: number | null
  sha256?: string
}
export interface HandedIn {
  material: string
  uploads?: string[]
  commitment?: boolean
}
export interface Submission {
  item?: string
  bundle?: string
  parts?: string[]
  form: Record<string, Answer>
  materials: HandedIn[]
  submit: boolean
  on_behalf_of?: string
}

export interface LookupCode {
  code: string
  short: string
  png: string
  expires_at: string
}

export interface AccountEvent {
  n: number
  type: string
  at: string
  title: string
  text: string
  case: { id: string; number: string | null; item_name: string; state: string; public_state: PublicState } | null
  data: Record<string, unknown> | null
}
export interface SyncAnswer {
  events: AccountEvent[]
  next: number
  unread: number
  reset?: boolean
}
export interface InboxAnswer {
  items: AccountEvent[]
  next_cursor: number | null
  unread: number
}

export interface Template {
  name: string
  template_id: string
  kind: 'once' | 'lasting'
  title: string
  credits: number
  on: boolean
}
export type Consent = 'accept' | 'reject' | 'ban' | 'filter'

export interface ServerConfig {
  demo: boolean
  demo_residents: { user: string; name: string }[]
  pretend_wechat?: string
  api_base: string
  town?: string
  hotline?: string
}
