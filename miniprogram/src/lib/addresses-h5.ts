/** Addresses that come from outside (typed, pasted, a link in a message) while the page is open. */

/** A page and what it is asked for: `#/pages/guide/index?code=MZ-01`. */
export function partsOf(hash: string): [page: string, asked: string] {
  const [page = '', asked = ''] = hash.replace(/^#/, '').split('?', 2)
  return [page, asked]
}

/**
 * Starts to watch; called once, before the app is mounted. uni-app keeps one page for all addresses that differ behind the question mark
 * alone and shows what that page was first opened for: another resident's link would show the wrong item under the right address.
 */
export function followAddresses(reload: () => void = () => location.reload()): void {
  const opened = new Map([partsOf(location.hash)])
  window.addEventListener('popstate', (event) => {
    if (event.state !== null) return // the app's own steps, forward and back
    const [page, asked] = partsOf(location.hash)
    const before = opened.get(page)
    opened.set(page, asked)
    if (before !== undefined && before !== asked) reload()
  })
}
