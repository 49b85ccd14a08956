import { defineConfig, type Plugin } from 'vite'
import uniModule from '@dcloudio/vite-plugin-uni'

// The plugin is CommonJS: under "type": "module" its function sits one level deeper.
const uni = (uniModule as unknown as { default?: typeof uniModule }).default ?? uniModule

/** Addresses of the framework's maker: an advertisement server, help pages named in warnings. None is used, so none is kept. */
const FOREIGN = /https?:\/\/[\w.-]*(?:dcloud\.net\.cn|vuejs\.org)[^"'`\s)]*/g

/** A town's page asks nobody but the town, not even for the picture that the framework's style sheet would fetch. */
function noForeignAddresses(): Plugin {
  return {
    name: 'no-foreign-addresses',
    enforce: 'post',
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk') file.code = file.code.replace(FOREIGN, '')
        else if (file.fileName.endsWith('.css')) file.source = String(file.source).replace(/url\((["']?)https?:[^)]*\)/g, 'none')
      }
    },
  }
}

/** The framework writes some styles as attribute text, which a strict `style-src 'self'` refuses; the style object is allowed. */
function strictStyles(): Plugin {
  return {
    name: 'strict-styles',
    enforce: 'pre',
    transform(code, id) {
      if (!/uni-h5[^/]*\.es\.js/.test(id)) return null
      return { code: code.replace(/(\S+)\.setAttribute\("style", (.+)\);$/gm, '$1.style.cssText = $2;'), map: null }
    },
  }
}

export default defineConfig({
  base: '/m/',
  plugins: [strictStyles(), uni(), noForeignAddresses()],
  define: {
    // Only the mini-program needs an absolute address; `mobile-api miniprogram export` puts the town's own in its place.
    __API_BASE__: JSON.stringify(process.env.MINIPROGRAM_API_BASE ?? 'http://127.0.0.1:8080/api/v1'),
  },
  server: {
    host: '127.0.0.1',
    port: 5173,
    proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true }, '/m/config.json': 'http://127.0.0.1:8080' },
  },
})
