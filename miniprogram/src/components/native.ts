/** The browser's own elements: uni-app would turn `<button>` or `<input>` in a template into parts without semantics. H5 only. */
import { h, type FunctionalComponent } from 'vue'

function native(tag: string): FunctionalComponent<Record<string, unknown>> {
  const part: FunctionalComponent<Record<string, unknown>> = (_props, { attrs, slots }) => h(tag, attrs, slots.default?.())
  part.inheritAttrs = false
  return part
}

export const NativeButton = native('button')
export const NativeInput = native('input')
export const NativeTextarea = native('textarea')
export const NativeSelect = native('select')
export const NativeOption = native('option')
export const NativeLabel = native('label')
export const NativePicture = native('img')
