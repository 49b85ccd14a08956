/** Colours and words for states. The colour never stands alone. */
import { t, word } from './i18n'
import { prefs } from './prefs'
import type { CaseEvent, CaseSummary, Task } from './types'

type Seen = Pick<CaseSummary, 'state' | 'state_name' | 'public_state'> & { decision?: string | null }
export type Colour = '' | 'ok' | 'warn' | 'bad' | 'brand'

export function caseColour(one: Seen): Colour {
  if (one.public_state === 'needs_you') return 'warn'
  if (one.state === 'not_accepted' || one.decision === 'refused') return 'bad'
  if (one.state === 'withdrawn' || one.state === 'expired' || one.state === 'draft') return ''
  return one.public_state === 'completed' || one.public_state === 'decided' ? 'ok' : 'brand'
}

/** The server's own Chinese word, or ours in English. */
export function stateText(one: Seen): string {
  return prefs.language === 'zh' && one.state_name ? one.state_name : word(`state.${one.state}`, one.state_name || one.state)
}

export const eventTitle = (event: CaseEvent) => (prefs.language === 'zh' ? event.title : word(`event.${event.type}`, event.title))

const TASK_LOOKS: Record<string, () => { colour: Colour; text: string }> = {
  waiting: () => ({ colour: '', text: t('task.waiting') }),
  requested: () => ({ colour: 'brand', text: t('task.requested') }),
  correction: () => ({ colour: 'warn', text: t('task.correction') }),
  suspended: () => ({ colour: 'warn', text: t('task.suspended') }),
  done: () => ({ colour: 'ok', text: t('task.answered') }),
  void: () => ({ colour: '', text: t('task.cancelled') }),
}

/** Colour and word of a department's part. */
export function taskLook(task: Task): { colour: Colour; text: string } {
  if (task.result === 'agreed' || task.result === 'granted' || task.result === 'accepted')
    return { colour: 'ok', text: t(task.result === 'agreed' ? 'task.agreed' : 'task.granted') }
  if (task.result === 'disagreed' || task.result === 'refused')
    return { colour: 'bad', text: t(task.result === 'disagreed' ? 'task.disagreed' : 'task.refused') }
  return TASK_LOOKS[task.state]?.() ?? { colour: 'brand', text: t('task.working') }
}

/** The four stops of a case: how far it has come. `halt` = it waits for the resident. */
export function wayOf(
  one: Seen & { accepted_at?: string | null; submitted_at?: string | null },
): { key: 'way.submitted' | 'way.accepted' | 'way.review' | 'way.done'; look: string }[] {
  const keys = ['way.submitted', 'way.accepted', 'way.review', 'way.done'] as const
  const at =
    (
      { draft: 0, submitted: 1, correction_requested: 1, accepted: 2, in_review: 2, forwarded: 2, decided: 3, delivering: 3 } as Record<
        string,
        number
      >
    )[one.state] ?? 4
  const halted = one.public_state === 'needs_you'
  return keys.map((key, i) => ({ key, look: i < at ? 'done' : i === at ? (halted ? 'halt' : 'now') : '' }))
}
