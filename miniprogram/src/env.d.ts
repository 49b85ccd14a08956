/// <reference types="vite/client" />

declare const __API_BASE__: string

/** The two things of WeChat's own object that uni-app does not pass on with types. */
declare const wx: {
  env: { USER_DATA_PATH: string }
  getFileSystemManager(): { writeFileSync(path: string, data: ArrayBuffer): void }
}

declare module '*.vue' {
  import type { DefineComponent } from 'vue'
  const component: DefineComponent<Record<string, unknown>, Record<string, unknown>, unknown>
  export default component
}
