/** Carries the calls of `Client` by uni.request and uni.uploadFile, on both platforms. */
import type { Call, FileCall, Wire, WireAnswer } from './api'

function lowerCased(header: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries((header ?? {}) as Record<string, unknown>).map(([name, value]) => [name.toLowerCase(), String(value)]))
}

function send(call: Call): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    uni.request({
      url: call.url, method: call.method, header: call.headers, data: call.body as UniApp.RequestOptions['data'],
      timeout: call.timeout ?? 20_000, responseType: call.binary ? 'arraybuffer' : 'text',
      success: (answer) => resolve({ status: answer.statusCode, headers: lowerCased(answer.header), body: answer.data }),
      fail: reject,
    })
  })
}

function upload(call: FileCall): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const task = uni.uploadFile({
      url: call.url, name: 'file', header: call.headers, filePath: call.source.path, file: call.source.file, formData: { name: call.source.name },
      timeout: 180_000,
      success: (answer) => resolve({ status: answer.statusCode, headers: {}, body: answer.data }),
      fail: reject,
    })
    task.onProgressUpdate((update) => call.onProgress(update.progress))
  })
}

export const uniWire: Wire = { send, upload }
