/** Bytes to text where TextDecoder may be missing (the mini-program's own engine). */
export function utf8(bytes: ArrayBuffer): string {
  if (typeof TextDecoder !== 'undefined') return new TextDecoder().decode(bytes)
  const escaped = Array.from(new Uint8Array(bytes), (byte) => '%' + byte.toString(16).padStart(2, '0'))
  return decodeURIComponent(escaped.join(''))
}
