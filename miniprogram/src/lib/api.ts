/** One way to the server: tokens, one refresh at a time, problem+json turned into an error that a person can read. */
import type { SignIn } from './types'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
export interface Call {
  method: Method
  url: string
  headers: Record<string, string>
  body?: unknown
  binary?: boolean
  timeout?: number
}
export interface FileSource {
  path?: string
  file?: File
  name: string
}
export interface FileCall {
  url: string
  headers: Record<string, string>
  source: FileSource
  onProgress: (percent: number) => void
}
export interface WireAnswer {
  status: number
  headers: Record<string, string>
  body: unknown
}

/** What carries a call: uni.request in the product, an in-memory server in the tests. Rejects only when nothing was answered. */
export interface Wire {
  send(call: Call): Promise<WireAnswer>
  upload(call: FileCall): Promise<WireAnswer>
}

/** Where the tokens are kept. */
export interface Keyring {
  access(): string | null
  refresh(): string | null
  /** Milliseconds since 1970 when the access token ends; 0 when unknown. */
  endsAt(): number
  keep(answer: SignIn): void
  drop(): void
}

export interface FieldProblem {
  pointer: string
  code: string
  message: string
}

/** The server answered, and the answer is no (RFC 9457). `requestId` is what a resident can read to the help desk. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly requestId: string,
    readonly errors: FieldProblem[] = [],
  ) {
    super(detail || title)
    this.name = 'Problem'
  }
}

/** Nothing was answered: no network, or the server cannot be reached. */
export class Offline extends Error {
  constructor() {
    super('offline')
    this.name = 'Offline'
  }
}

export interface Reply<T> {
  data: T
  etag: string | null
  status: number
}
export interface Options {
  query?: Record<string, string | number | undefined | null>
  body?: unknown
  headers?: Record<string, string>
  binary?: boolean
  timeout?: number
}

/** A random id good enough to name one request (UUID version 4 in form). */
export function newId(): string {
  return 'xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx'.replace(/x/g, () => Math.floor(Math.random() * 16).toString(16))
}

/** `?a=1&b=2` of what is set; empty text when nothing is. */
export function queryText(query: Options['query'] = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')
  return pairs.length ? '?' + pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&') : ''
}

function parsed(body: unknown): Record<string, unknown> {
  let value = body
  if (value instanceof ArrayBuffer && typeof TextDecoder !== 'undefined') value = new TextDecoder().decode(value)
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value)
    } catch {
      return {}
    }
  }
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}
}

function problemOf(answer: WireAnswer, sentId: string): Problem {
  const body = parsed(answer.body)
  const text = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : '')
  const id = answer.headers['x-request-id'] || text('trace_id') || sentId
  const errors = Array.isArray(body.errors) ? (body.errors as FieldProblem[]) : []
  return new Problem(answer.status, text('code') || `http_${answer.status}`, text('title'), text('detail'), id, errors)
}

/** The resident's client. `base` ends with /api/v1, without a slash behind it. */
export class Client {
  private refreshing: Promise<boolean> | null = null

  constructor(
    private readonly wire: Wire,
    private readonly keys: Keyring,
    private readonly base: () => string,
    private readonly language: () => string,
  ) {}

  async ask<T>(method: Method, path: string, options: Options = {}): Promise<Reply<T>> {
    const answer = await this.withToken((headers) =>
      this.wire.send({
        method,
        url: this.base() + path + queryText(options.query),
        headers: { ...headers, ...options.headers },
        body: options.body,
        binary: options.binary,
        timeout: options.timeout,
      }),
    )
    return { data: answer.body as T, etag: answer.headers.etag ?? null, status: answer.status }
  }

  async get<T>(path: string, query?: Options['query']): Promise<T> {
    return (await this.ask<T>('GET', path, { query })).data
  }

  async post<T>(path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
    return (await this.ask<T>('POST', path, { body: body ?? {}, headers })).data
  }

  /** Sends one file to the simple upload; the answer of WeChat's uploadFile is a string, ours is parsed here. */
  async upload<T>(source: FileSource, onProgress: (percent: number) => void): Promise<T> {
    const answer = await this.withToken((headers) =>
      this.wire.upload({ url: `${this.base()}/uploads/simple`, headers, source, onProgress }),
    )
    return parsed(answer.body) as T
  }

  /** A token that lives for another 20 seconds at least, for doors where a 401 cannot be answered (WebSocket). */
  async freshToken(now = Date.now()): Promise<string | null> {
    const used = this.keys.access()
    if (used && this.keys.endsAt() - now < 20_000) await this.refreshOnce(used)
    return this.keys.access()
  }

  private async withToken(send: (headers: Record<string, string>) => Promise<WireAnswer>): Promise<WireAnswer> {
    const id = newId()
    const used = this.keys.access()
    let answer = await this.sent(send, used, id)
    if (answer.status === 401 && used && (await this.refreshOnce(used))) answer = await this.sent(send, this.keys.access(), id)
    if (answer.status >= 400) throw problemOf(answer, id)
    return answer
  }

  private async sent(
    send: (headers: Record<string, string>) => Promise<WireAnswer>,
    token: string | null,
    id: string,
  ): Promise<WireAnswer> {
    const headers: Record<string, string> = { 'X-Request-Id': id, 'Accept-Language': this.language() }
    if (token) headers.Authorization = `Bearer ${token}`
    try {
      return await send(headers)
    } catch {
      throw new Offline()
    }
  }

  /** True when there is a newer token than `used`. However many calls fail together, the refresh token is spent once. */
  private async refreshOnce(used: string): Promise<boolean> {
    if (this.keys.access() !== used) return this.keys.access() !== null
    this.refreshing ??= this.refresh().finally(() => {
      this.refreshing = null
    })
    return this.refreshing
  }

  private async refresh(): Promise<boolean> {
    const token = this.keys.refresh()
    if (!token) return false
    const id = newId()
    const send = (headers: Record<string, string>) =>
      this.wire.send({ method: 'POST', url: `${this.base()}/auth/refresh`, headers, body: { refresh_token: token } })
    const answer = await this.sent(send, null, id)
    if (answer.status === 200) {
      this.keys.keep(answer.body as SignIn)
      return true
    }
    if (answer.status >= 500 || answer.status === 429) throw problemOf(answer, id)
    this.keys.drop()
    return false
  }
}
