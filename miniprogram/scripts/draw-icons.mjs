// Draws the four tab-bar icons as PNG files (81 x 81, plain and chosen), from shapes written here: nobody else's artwork.
import { deflateSync } from 'node:zlib'
import { mkdirSync, writeFileSync } from 'node:fs'

const SIZE = 81
const SAMPLES = 4
const COLOURS = { '': [0x4a, 0x55, 0x63], '-on': [0x0b, 0x5c, 0xad] }

/** Signed distance to a rounded box with centre (cx, cy), half sizes (w, h) and corner radius r; negative = inside. */
const box = (cx, cy, w, h, r) => (x, y) => {
  const dx = Math.abs(x - cx) - w + r
  const dy = Math.abs(y - cy) - h + r
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - r
}
const disc = (cx, cy, r) => (x, y) => Math.hypot(x - cx, y - cy) - r
/** Signed distance to a thick line from a to b. */
const line = (ax, ay, bx, by, thick) => (x, y) => {
  const t = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)))
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)) - thick / 2
}
const ring = (shape, thick) => (x, y) => Math.abs(shape(x, y)) - thick / 2
const below = (limit, shape) => (x, y) => Math.max(shape(x, y), y - limit)
const join =
  (...shapes) =>
  (x, y) =>
    Math.min(...shapes.map((shape) => shape(x, y)))

const ICONS = {
  home: join(
    line(12, 38, 40.5, 14, 6),
    line(40.5, 14, 69, 38, 6),
    line(20, 34, 20, 66, 6),
    line(61, 34, 61, 66, 6),
    line(20, 66, 61, 66, 6),
    line(34, 66, 34, 48, 6),
    line(34, 48, 47, 48, 6),
    line(47, 48, 47, 66, 6),
  ),
  cases: join(
    ring(box(40.5, 43, 24, 27, 6), 6),
    box(40.5, 16, 12, 6, 3),
    line(30, 36, 51, 36, 6),
    line(30, 48, 51, 48, 6),
    line(30, 59, 43, 59, 5),
  ),
  code: join(
    ring(box(25, 25, 11, 11, 3), 6),
    ring(box(56, 25, 11, 11, 3), 6),
    ring(box(25, 56, 11, 11, 3), 6),
    box(48, 48, 4.5, 4.5, 1),
    box(64, 48, 4.5, 4.5, 1),
    box(56, 56, 4.5, 4.5, 1),
    box(48, 65, 4.5, 4.5, 1),
    box(64, 65, 4.5, 4.5, 1),
  ),
  me: join(ring(disc(40.5, 27, 13), 6), below(70, ring(disc(40.5, 72, 25), 6)), line(16, 69, 65, 69, 6)),
}

function coverage(shape, px, py) {
  let inside = 0
  for (let i = 0; i < SAMPLES * SAMPLES; i += 1) {
    const x = px + ((i % SAMPLES) + 0.5) / SAMPLES
    const y = py + (Math.floor(i / SAMPLES) + 0.5) / SAMPLES
    if (shape(x, y) < 0) inside += 1
  }
  return Math.round((inside * 255) / (SAMPLES * SAMPLES))
}

const CRC = Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c >>> 0
})

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, 'ascii'), data])
  let crc = 0xffffffff
  for (const byte of body) crc = CRC[(crc ^ byte) & 0xff] ^ (crc >>> 8)
  const frame = Buffer.alloc(body.length + 8)
  frame.writeUInt32BE(data.length, 0)
  body.copy(frame, 4)
  frame.writeUInt32BE((crc ^ 0xffffffff) >>> 0, body.length + 4)
  return frame
}

function png(shape, [red, green, blue]) {
  const rows = Buffer.alloc(SIZE * (1 + SIZE * 4))
  for (let y = 0; y < SIZE; y += 1) {
    for (let x = 0; x < SIZE; x += 1) {
      rows.set([red, green, blue, coverage(shape, x, y)], y * (1 + SIZE * 4) + 1 + x * 4)
    }
  }
  const header = Buffer.from([0, 0, 0, SIZE, 0, 0, 0, SIZE, 8, 6, 0, 0, 0])
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND', Buffer.alloc(0))])
}

const folder = new URL('../src/static/tab/', import.meta.url)
mkdirSync(folder, { recursive: true })
for (const [name, shape] of Object.entries(ICONS)) {
  for (const [suffix, colour] of Object.entries(COLOURS)) writeFileSync(new URL(`${name}${suffix}.png`, folder), png(shape, colour))
}
