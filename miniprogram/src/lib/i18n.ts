/** Words in the resident's language: `t('home.search')`. The key list is the Chinese table; the English one must have them all. */
import { prefs } from './prefs'
import { en } from './words-en'
import { zh } from './words-zh'

export type Word = keyof typeof zh
const TABLES: Record<'zh' | 'en', Record<Word, string>> = { zh, en }

/** The text of `key` with `{name}` filled in. Read inside a template it follows the language at once. */
export function t(key: Word, values: Record<string, string | number> = {}): string {
  return TABLES[prefs.language][key].replace(/\{(\w+)\}/g, (gap, name: string) => String(values[name] ?? gap))
}

/** The text of a key put together at run time, or `otherwise` when the table has none. */
export function word(key: string, otherwise: string): string {
  return key in zh ? t(key as Word) : otherwise
}
