/** Carries the calls of `Client` by uni.request and uni.uploadFile, on both platforms. */
import type { Call, FileCall, Wire, WireAnswer } from './api'

/** A 20 MB paper over a village's mobile network. */
const UPLOAD_MS = 180_000

function lowerCased(header: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries((header ?? {}) as Record<string, unknown>).map(([name, value]) => [name.toLowerCase(), String(value)]),
  )
}

function send(call: Call): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    uni.request({
      url: call.url,
      method: call.method,
      header: call.headers,
      data: call.body as UniApp.RequestOptions['data'],
      timeout: call.timeout ?? 20_000,
      responseType: call.binary ? 'arraybuffer' : 'text',
      success: (answer) => resolve({ status: answer.statusCode, headers: lowerCased(answer.header), body: answer.data }),
      fail: reject,
    })
  })
}

function upload(call: FileCall): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const { path, file, name } = call.source
    // On H5 uni.uploadFile reports a failure for a lone `file` although it sends it; a list of one is sent and reported.
    const what = file ? { files: [{ name: 'file', file, uri: '' }] } : { name: 'file', filePath: path }
    const task = uni.uploadFile({
      url: call.url,
      header: call.headers,
      ...what,
      formData: { name },
      timeout: UPLOAD_MS,
      success: (answer) =>
        resolve({ status: answer.statusCode, headers: lowerCased((answer as { header?: unknown }).header), body: answer.data }),
      fail: reject,
    })
    task.onProgressUpdate((update) => call.onProgress(update.progress))
  })
}

export const uniWire: Wire = { send, upload }
