/** A small server in memory and a keyring, for the tests of the client. */
import type { Call, FileCall, Keyring, Wire, WireAnswer } from '../../src/lib/api'
import type { FormField, Guide, MaterialRule, SignIn } from '../../src/lib/types'

export type Answering = (call: Call) => WireAnswer | Promise<WireAnswer>

/** Records every call; what it answers is the test's business. */
export function serverOf(answering: Answering): Wire & { calls: Call[] } {
  const calls: Call[] = []
  return {
    calls,
    send: async (call) => {
      calls.push(call)
      return answering(call)
    },
    upload: async (call: FileCall) => {
      call.onProgress(100)
      return { status: 201, headers: {}, body: JSON.stringify({ id: 'u1', name: call.source.name }) }
    },
  }
}

export const json = (status: number, body: unknown, headers: Record<string, string> = {}): WireAnswer => ({ status, headers, body })

export function keyringOf(access: string | null, refresh: string | null = 'refresh-1'): Keyring & { dropped: boolean } {
  const kept = { access, refresh, endsAt: Date.now() + 600_000 }
  return {
    dropped: false,
    access: () => kept.access,
    refresh: () => kept.refresh,
    endsAt: () => kept.endsAt,
    keep(answer: SignIn) {
      Object.assign(kept, { access: answer.access_token, refresh: answer.refresh_token, endsAt: Date.now() + answer.expires_in * 1000 })
    },
    drop() {
      Object.assign(kept, { access: null, refresh: null })
      this.dropped = true
    },
  }
}

export const field = (name: string, more: Partial<FormField> = {}): FormField => ({
  name,
  label: `标签 ${name}`,
  type: 'text',
  required: true,
  ...more,
})

export const material = (code: string, more: Partial<MaterialRule> = {}): MaterialRule => ({
  code,
  name: `材料 ${code}`,
  required: true,
  certificate_type: null,
  condition: null,
  tolerable: false,
  commitment: false,
  source: 'upload',
  ...more,
})

export const guideOf = (fields: FormField[], materials: MaterialRule[]): Guide =>
  ({ code: 'MZ-01', version: 1, form: { fields }, materials }) as unknown as Guide
