/** Where the server is, and whether this is the demonstration with pretend residents. */
import { reactive } from 'vue'
import type { ServerConfig } from './types'

/** MINIPROGRAM_API_BASE at `./run frontend`, for a town's mini-program. */
export const API_BASE = __API_BASE__
export const isH5 = process.env.UNI_PLATFORM === 'h5'

/** The town's name and telephone number for the screens; empty until the server has told them. */
export const town = reactive({ name: '', hotline: '' })

let loaded: Promise<ServerConfig> | null = null
let base = isH5 ? '/api/v1' : API_BASE

/** The API's address, ending in /api/v1. */
export const apiBase = () => base

/** The address of the WebSocket door for the same server. */
export function streamBase(): string {
  const absolute = base.startsWith('http') ? base : `${location.origin}${base}`
  return absolute.replace(/^http/, 'ws') + '/stream'
}

async function fetchConfig(): Promise<ServerConfig> {
  const fallback: ServerConfig = { demo: false, demo_residents: [], api_base: base }
  if (!isH5) return fallback
  const url = location.pathname.replace(/[^/]*$/, '') + 'config.json'
  const answer = await uni.request({ url, timeout: 8000 })
  const config = answer.statusCode === 200 && typeof answer.data === 'object' ? { ...fallback, ...(answer.data as object) } : fallback
  const said = (config as ServerConfig).api_base.replace(/\/$/, '')
  base = said === '' ? '/api/v1' : said
  town.name = (config as ServerConfig).town ?? ''
  town.hotline = (config as ServerConfig).hotline ?? ''
  return config as ServerConfig
}

/** The server's own settings; asked once, and again after a failure. */
export function serverConfig(): Promise<ServerConfig> {
  loaded ??= fetchConfig().catch((error: unknown) => {
    loaded = null
    throw error
  })
  return loaded
}
