/** Small acts on the screen that each platform does in its own way. */
import { isH5 } from './config'

/** Puts the reader's eye (and the keyboard) on the element with this id, after the page has drawn it. */
export function focusOn(id: string): void {
  setTimeout(() => {
    if (!isH5) {
      uni.pageScrollTo({ selector: `#${id}`, duration: 0 })
      return
    }
    const element = document.getElementById(id)
    element?.focus()
    // What is tall begins at the top: in the middle its end would lie under the buttons at the foot.
    element?.scrollIntoView({ block: element.offsetHeight > innerHeight / 2 ? 'start' : 'center' })
  }, 60)
}

export const go = (url: string) => {
  void uni.navigateTo({ url })
}
export const goTab = (name: 'home' | 'cases' | 'code' | 'me') => {
  void uni.switchTab({ url: `/pages/${name}/index` })
}
export const replaceWith = (url: string) => {
  void uni.redirectTo({ url })
}

/** One page back, or to the first page when this one was opened from a link. */
export function goBack(): void {
  if (getCurrentPages().length > 1) void uni.navigateBack({})
  else goTab('home')
}

/** Log in first, then come back to `then` (a page address). */
export const askLogIn = (then: string) => go(`/pages/login/index?then=${encodeURIComponent(then)}`)

/** A picture or PDF that needs our token, as something an element can show or a link can save. */
export function dataUrl(bytes: ArrayBuffer, mediaType: string): string {
  return `data:${mediaType};base64,${uni.arrayBufferToBase64(bytes)}`
}

/** Hands the bytes to the resident: saved on H5, opened in WeChat's own viewer in the mini-program. */
export function handOver(bytes: ArrayBuffer, name: string, mediaType: string): void {
  // #ifdef H5
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([bytes], { type: mediaType }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
  // #endif
  // #ifdef MP-WEIXIN
  const path = `${wx.env.USER_DATA_PATH}/${name}`
  wx.getFileSystemManager().writeFileSync(path, bytes)
  if (mediaType === 'application/pdf') uni.openDocument({ filePath: path, showMenu: true })
  else uni.previewImage({ urls: [path] })
  // #endif
}
