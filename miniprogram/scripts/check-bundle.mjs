// Looks through what was built: no address but the town's own, no path of the machine that built it, small enough for WeChat.
import { readdirSync, readFileSync, statSync, existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('..', import.meta.url))
const BUILDS = join(HERE, 'dist/build')
/** XML namespaces are names, nothing is fetched from them; the last one is the address that the export command replaces. */
const ALLOWED = [/^https?:\/\/www\.w3\.org\//, /^http:\/\/127\.0\.0\.1:8080\/api\/v1$/]
/** WeChat: main package at most 2 MB. H5: our own limit, a first visit on a slow network. */
const MOST_BYTES = { 'mp-weixin': 2 * 1024 * 1024, h5: 700 * 1024 }

function* filesUnder(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesUnder(path)
    else yield path
  }
}

function complaintsAbout(path) {
  if (!/\.(js|css|wxss|wxml|json|html|wxs)$/.test(path)) return path.endsWith('.map') ? ['source map'] : []
  const text = readFileSync(path, 'utf8')
  const addresses = text.match(/\b(?:https?|wss?):\/\/[\w.-]+(?::\d+)?(?:\/[^\s"'`)\\]*)?/g) ?? []
  const foreign = addresses.filter((address) => !ALLOWED.some((pattern) => pattern.test(address)))
  if (text.includes(HERE.replace(/\/$/, ''))) foreign.push('path of the build machine')
  return foreign
}

const complaints = []
const present = Object.keys(MOST_BYTES).filter((name) => existsSync(join(BUILDS, name)))
if (!present.length) complaints.push('nothing is built: npm run build:h5 and build:mp-weixin first')
for (const name of present) {
  let bytes = 0
  for (const path of filesUnder(join(BUILDS, name))) {
    bytes += statSync(path).size
    for (const what of complaintsAbout(path)) complaints.push(`${relative(HERE, path)}: ${what}`)
  }
  if (bytes > MOST_BYTES[name]) complaints.push(`${name}: ${bytes} bytes, at most ${MOST_BYTES[name]}`)
  console.log(`${name}: ${(bytes / 1024).toFixed(0)} KB`)
}
for (const complaint of complaints) console.error(complaint)
process.exit(complaints.length ? 1 : 0)
