/** What went wrong, in words a resident can act on, with the number to read to the help desk. */
import { Offline, Problem } from './api'
import { t } from './i18n'

export interface Trouble {
  title: string
  text: string
  requestId: string
  offline: boolean
  status: number
}

export function troubleOf(error: unknown): Trouble {
  if (error instanceof Offline) return { title: t('error.offline'), text: t('error.offlineText'), requestId: '', offline: true, status: 0 }
  if (error instanceof Problem) {
    const fault = error.status >= 500
    return {
      title: error.title || t(fault ? 'error.server' : 'error.refused'),
      text: error.detail || t(fault ? 'error.serverText' : 'error.refusedText'),
      requestId: error.requestId,
      offline: false,
      status: error.status,
    }
  }
  return { title: t('error.unknown'), text: t('error.serverText'), requestId: '', offline: false, status: 0 }
}
