/** Small things kept on the phone between visits. */

export interface Shelf {
  get<T>(key: string): T | null
  put(key: string, value: unknown): void
  drop(key: string): void
  keys(): string[]
}

/** The platform's own storage (localStorage on H5, WeChat storage in the mini-program). A full or locked storage is not an error here. */
export const shelf: Shelf = {
  get<T>(key: string): T | null {
    const value = uni.getStorageSync(key) as T | '' | undefined
    return value === '' || value === undefined ? null : value
  },
  put(key, value) {
    try {
      uni.setStorageSync(key, value)
    } catch {
      /* private windows refuse to store: the visit goes on without memory */
    }
  },
  drop(key) {
    uni.removeStorageSync(key)
  },
  keys() {
    return uni.getStorageInfoSync().keys
  },
}

/** A shelf in memory, for tests. */
export function memoryShelf(): Shelf {
  const kept = new Map<string, string>()
  return {
    get: <T>(key: string) => (kept.has(key) ? (JSON.parse(kept.get(key) as string) as T) : null),
    put: (key, value) => {
      kept.set(key, JSON.stringify(value))
    },
    drop: (key) => {
      kept.delete(key)
    },
    keys: () => [...kept.keys()],
  }
}
