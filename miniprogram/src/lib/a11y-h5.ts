/** Semantics that uni-app's own H5 parts lack: the tab bar, the bar with the back button, and keys for whatever claims to be a button. */
import { partsOf } from './addresses-h5'
import { t, word } from './i18n'

function setAttributes(element: Element, wanted: Record<string, string>): void {
  for (const [name, value] of Object.entries(wanted)) if (element.getAttribute(name) !== value) element.setAttribute(name, value)
}

function mendTabBar(): void {
  const bar = document.querySelector('.uni-tabbar')
  if (!bar) return
  setAttributes(bar, { role: 'tablist', 'aria-label': t('nav.tabs') })
  bar.querySelectorAll('.uni-tabbar__item').forEach((item, place) => {
    const label = t((['tab.home', 'tab.cases', 'tab.code', 'tab.me'] as const)[place] ?? 'tab.home')
    const chosen = item.querySelector('img')?.getAttribute('src')?.includes('-on') ?? false
    setAttributes(item, { role: 'tab', tabindex: '0', 'aria-selected': String(chosen), 'aria-label': label, 'data-testid': `tab-${place}` })
    const text = item.querySelector('.uni-tabbar__label')
    if (text && text.textContent !== label) text.textContent = label
  })
}

function mendPageHead(): void {
  document.querySelectorAll('.uni-page-head-hd .uni-page-head-btn').forEach((button) => {
    setAttributes(button, { role: 'button', tabindex: '0', 'aria-label': t('nav.back'), 'data-testid': 'back' })
  })
  const page = partsOf(location.hash)[0].split('/')[2] ?? ''
  document.querySelectorAll('.uni-page-head__title').forEach((title) => {
    const wanted = word(`title.${page}`, '')
    if (wanted && title.checkVisibility() && title.textContent !== wanted) title.textContent = wanted
  })
}

function mendPictures(): void {
  document.querySelectorAll('img:not([alt])').forEach((picture) => picture.setAttribute('alt', ''))
}

function mend(): void {
  mendTabBar()
  mendPageHead()
  mendPictures()
}

function keyToClick(event: KeyboardEvent): void {
  const target = event.target as HTMLElement
  const role = target.getAttribute?.('role') ?? ''
  if ((event.key !== 'Enter' && event.key !== ' ') || !['button', 'tab', 'switch', 'radio', 'link'].includes(role)) return
  event.preventDefault()
  target.click()
}

/** Starts to watch the page; called once, before the app is mounted. */
export function giveSemantics(): void {
  let planned = false
  const soon = () => {
    if (planned) return
    planned = true
    requestAnimationFrame(() => {
      planned = false
      mend()
    })
  }
  new MutationObserver(soon).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ['src', 'lang'],
  })
  document.addEventListener('keydown', keyToClick)
}
