/** Is there a network at all? */
import { reactive } from 'vue'

export const net = reactive({ online: true })

/** Watches the phone's connection; `back` runs when it returns. */
export function netWatch(back: () => void): void {
  uni.onNetworkStatusChange(({ isConnected }) => {
    net.online = isConnected
    if (isConnected) back()
  })
}
