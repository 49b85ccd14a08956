import { createSSRApp } from 'vue'
import App from './App.vue'
// #ifdef H5
import { giveSemantics } from './lib/a11y-h5'
import { followAddresses } from './lib/addresses-h5'
giveSemantics()
followAddresses()
// #endif

/** uni-app's entry: it mounts what this returns, on each platform in its own way. */
export function createApp() {
  return { app: createSSRApp(App) }
}
