import { describe, expect, it } from 'vitest'
import { Client, Offline, Problem, queryText, type Wire } from '../../src/lib/api'
import { json, keyringOf, serverOf, type Answering } from './helpers'

const clientOf = (wire: Wire, keys = keyringOf('old')) =>
  new Client(
    wire,
    keys,
    () => '/api/v1',
    () => 'zh',
  )
const tokenOf = (headers: Record<string, string>) => headers.Authorization?.replace('Bearer ', '')

/** Takes the token `new` only; hands it out for the refresh token `refresh-1`, once. */
function strictServer() {
  let spent = 0
  const answering: Answering = async (call) => {
    if (call.url.endsWith('/auth/refresh')) {
      await Promise.resolve()
      spent += 1
      return spent === 1
        ? json(200, { access_token: 'new', refresh_token: 'refresh-2', expires_in: 600 })
        : json(401, { code: 'refresh_reused' })
    }
    return tokenOf(call.headers) === 'new' ? json(200, { ok: true }) : json(401, { code: 'token_expired' })
  }
  return serverOf(answering)
}

describe('refreshing', () => {
  it('spends the refresh token once when many calls fail together, and repeats each call', async () => {
    const server = strictServer()
    const client = clientOf(server)
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.get<{ ok: boolean }>('/me')))
    expect(answers.every((answer) => answer.ok)).toBe(true)
    expect(server.calls.filter((call) => call.url.endsWith('/auth/refresh'))).toHaveLength(1)
  })

  it('does not refresh for a call that was sent with an older token than the one at hand', async () => {
    const keys = keyringOf('old')
    const server = serverOf((call) => {
      if (tokenOf(call.headers) === 'new') return json(200, {})
      keys.keep({ access_token: 'new', refresh_token: 'r', expires_in: 600, token_type: 'Bearer' })
      return json(401, { code: 'token_expired' })
    })
    await clientOf(server, keys).get('/me')
    expect(server.calls.map((call) => call.url)).toEqual(['/api/v1/me', '/api/v1/me'])
  })

  it('logs out when the refresh token is refused', async () => {
    const keys = keyringOf('old')
    const server = serverOf(() => json(401, { code: 'token_expired', title: '请重新登录' }))
    await expect(clientOf(server, keys).get('/me')).rejects.toMatchObject({ status: 401, title: '请重新登录' })
    expect(keys.dropped).toBe(true)
  })

  it('keeps the log-in when the refresh finds no network', async () => {
    const keys = keyringOf('old')
    const server = serverOf((call) => {
      if (call.url.endsWith('/auth/refresh')) throw new Error('no network')
      return json(401, {})
    })
    await expect(clientOf(server, keys).get('/me')).rejects.toBeInstanceOf(Offline)
    expect(keys.refresh()).toBe('refresh-1')
  })

  it('gives a socket a token that does not end within seconds', async () => {
    const keys = keyringOf('old')
    const client = clientOf(strictServer(), keys)
    expect(await client.freshToken()).toBe('old')
    expect(await client.freshToken(keys.endsAt() - 1_000)).toBe('new')
  })
})

describe('answers', () => {
  it('turns problem+json into a Problem with the id the server gave', async () => {
    const body = {
      code: 'invalid_form',
      title: '表单有需要修改的地方',
      detail: '请修改',
      errors: [{ pointer: '/form/name', code: 'required', message: '请填写' }],
    }
    const client = clientOf(serverOf(() => json(422, body, { 'x-request-id': 'req-7' })))
    const problem = await client.post('/cases', {}).catch((error: unknown) => error)
    expect(problem).toBeInstanceOf(Problem)
    expect(problem).toMatchObject({ status: 422, code: 'invalid_form', requestId: 'req-7', message: '请修改' })
    expect((problem as Problem).errors[0]?.pointer).toBe('/form/name')
  })

  it('reads a problem that came as bytes, and survives an answer that is no JSON', async () => {
    const bytes = new TextEncoder().encode('{"code":"not_found","title":"没有找到"}').buffer
    await expect(clientOf(serverOf(() => json(404, bytes))).get('/x')).rejects.toMatchObject({ code: 'not_found' })
    await expect(clientOf(serverOf(() => json(502, '<html>bad gateway'))).get('/x')).rejects.toMatchObject({
      code: 'http_502',
      status: 502,
    })
  })

  it('names every request and speaks the chosen language', async () => {
    const server = serverOf(() => json(200, {}))
    await clientOf(server).get('/items', { q: '低保', department: '', cursor: null })
    expect(server.calls[0]?.headers['X-Request-Id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(server.calls[0]?.headers['Accept-Language']).toBe('zh')
    expect(server.calls[0]?.url).toBe('/api/v1/items?q=%E4%BD%8E%E4%BF%9D')
  })

  it('hands out the ETag and parses the string that an upload answers with', async () => {
    const client = clientOf(serverOf(() => json(200, { id: 'c1' }, { etag: '"3"' })))
    expect((await client.ask('GET', '/cases/c1')).etag).toBe('"3"')
    const seen: number[] = []
    expect(await client.upload({ path: 'a.jpg', name: 'a.jpg' }, (percent) => seen.push(percent))).toMatchObject({ id: 'u1' })
    expect(seen).toEqual([100])
  })

  it('leaves out of a query what is not set', () => {
    expect(queryText({ a: 0, b: undefined, c: null, d: '' })).toBe('?a=0')
    expect(queryText()).toBe('')
  })
})
