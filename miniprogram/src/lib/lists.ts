/** Lists that grow page by page; a newer question makes the answer of an older one worthless. */
import { reactive } from 'vue'
import { troubleOf, type Trouble } from './errors'
import type { Page } from './types'

export interface List<T> {
  all: T[]
  cursor: string | number | null
  loading: boolean
  loaded: boolean
  trouble: Trouble | null
  reload(): Promise<void>
  more(): Promise<void>
}

type Ask<T> = (cursor: string | number | null) => Promise<Page<T>>

/** `idOf` names an entry: what moved between two pages while they were read must not stand there twice. */
export function listOf<T>(ask: Ask<T>, idOf: (entry: T) => string | number): List<T> {
  let turn = 0
  async function load(cursor: string | number | null): Promise<void> {
    turn += 1
    const mine = turn
    list.loading = true
    try {
      const page = await ask(cursor)
      if (mine !== turn) return
      const before = cursor === null ? [] : (list.all as T[])
      const known = new Set(before.map(idOf))
      list.all = [...before, ...page.items.filter((entry) => !known.has(idOf(entry)))]
      Object.assign(list, { cursor: page.next_cursor, trouble: null, loaded: true })
    } catch (error) {
      if (mine === turn) list.trouble = troubleOf(error)
    } finally {
      if (mine === turn) list.loading = false
    }
  }
  const list = reactive({
    all: [],
    cursor: null,
    loading: false,
    loaded: false,
    trouble: null,
    reload: () => load(null),
    more: async () => {
      if (list.cursor !== null && !list.loading) await load(list.cursor)
    },
  }) as List<T>
  return list
}
