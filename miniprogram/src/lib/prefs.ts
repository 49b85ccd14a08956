/** How this resident wants to read: kept on the phone, and with the account once logged in. */
import { reactive, watch } from 'vue'
import { shelf } from './kv'
import type { Language } from './types'

interface Prefs {
  large: boolean
  language: Language
}

export const prefs = reactive<Prefs>({ large: false, language: 'zh' })

/** Reads what was chosen before; called once when the app starts. */
export function wakePrefs(): void {
  Object.assign(prefs, shelf.get<Prefs>('prefs') ?? {})
  watch(
    prefs,
    () => {
      shelf.put('prefs', { ...prefs })
      show()
    },
    { immediate: true },
  )
}

function show(): void {
  // #ifdef H5
  document.documentElement.classList.toggle('big', prefs.large)
  document.documentElement.lang = prefs.language === 'zh' ? 'zh-CN' : 'en'
  // #endif
}
