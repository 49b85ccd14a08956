/** Who is logged in, and the one client through which every request goes. */
import { computed, reactive } from 'vue'
import { Client, newId, type Keyring } from './api'
import { apiBase } from './config'
import { dropAllDrafts } from './draft'
import { shelf } from './kv'
import { prefs } from './prefs'
import type { Resident, SignIn } from './types'
import { uniWire } from './wire'

interface Kept {
  access: string
  refresh: string
  endsAt: number
  resident: Resident | null
}

const state = reactive<{ kept: Kept | null }>({ kept: null })

export const resident = computed(() => state.kept?.resident ?? null)
export const isLoggedIn = computed(() => state.kept !== null)

const keys: Keyring = {
  access: () => state.kept?.access ?? null,
  refresh: () => state.kept?.refresh ?? null,
  endsAt: () => state.kept?.endsAt ?? 0,
  keep(answer: SignIn) {
    state.kept = {
      access: answer.access_token,
      refresh: answer.refresh_token,
      endsAt: Date.now() + answer.expires_in * 1000,
      resident: answer.resident ?? state.kept?.resident ?? null,
    }
    shelf.put('session', state.kept)
  },
  drop: forget,
}

export const api = new Client(uniWire, keys, apiBase, () => prefs.language)

/** Reads the log-in of the last visit; called once when the app starts. */
export function wakeSession(): void {
  state.kept = shelf.get<Kept>('session')
}

/** Logs in with a code of wx.login (or of the sandbox) and takes over how the resident wants to read. */
export async function logIn(code: string): Promise<void> {
  const answer = await api.post<SignIn>('/auth/wechat', { code, device: deviceName() })
  keys.keep(answer)
  const wished = answer.resident?.preferences
  if (wished?.large_text) prefs.large = true
  if (wished && wished.language !== prefs.language && prefs.language === 'zh') prefs.language = wished.language
}

/** In the demonstration: whose phone this pretends to be, and what wx.login would give there. */
export const pretendUser = () => shelf.get<string>('pretend') ?? ''
export function sandboxCode(user: string): string {
  shelf.put('pretend', user)
  return `sandbox-${user}-${newId().replace(/-/g, '')}`
}

/** Ends the session on the server as far as it can be reached, and on this phone in any case. */
export async function logOut(): Promise<void> {
  const refresh = keys.refresh()
  try {
    if (refresh) await api.post('/auth/logout', { refresh_token: refresh })
  } catch {
    /* the phone forgets even when the server cannot hear it */
  }
  forget()
}

/** Saves the reading choices with the account, so that the next phone knows them; not a word when it fails. */
export async function savePrefs(): Promise<void> {
  if (!state.kept) return
  const push = state.kept.resident?.preferences?.push ?? true
  await api.ask('PUT', '/me/preferences', { body: { large_text: prefs.large, language: prefs.language, push } }).catch(() => undefined)
}

function forget(): void {
  state.kept = null
  shelf.drop('session')
  shelf.drop('position')
  shelf.drop('pretend')
  dropAllDrafts(shelf)
}

function deviceName(): string {
  const { platform, model } = uni.getSystemInfoSync()
  return [platform, model].filter(Boolean).join(' ').slice(0, 60)
}
