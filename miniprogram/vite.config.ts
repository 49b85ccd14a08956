import { defineConfig, type Plugin } from 'vite'
import uniModule from '@dcloudio/vite-plugin-uni'

// The plugin is CommonJS: under "type": "module" its function sits one level deeper.
const uni = (uniModule as unknown as { default?: typeof uniModule }).default ?? uniModule

/** The framework's own style sheet asks a vendor's server for a picture; a town's page asks nobody but the town. */
function noForeignPictures(): Plugin {
  return {
    name: 'no-foreign-pictures',
    enforce: 'post',
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'asset' && file.fileName.endsWith('.css')) {
          file.source = String(file.source).replace(/url\((["']?)https?:[^)]*\)/g, 'none')
        }
      }
    },
  }
}

export default defineConfig({
  base: '/m/',
  plugins: [uni(), noForeignPictures()],
  define: {
    // Only the mini-program needs an absolute address; `mobile-api miniprogram export` puts the town's own in its place.
    __API_BASE__: JSON.stringify(process.env.MINIPROGRAM_API_BASE ?? 'http://127.0.0.1:8080/api/v1'),
  },
  server: { host: '127.0.0.1', port: 5173, proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true }, '/m/config.json': 'http://127.0.0.1:8080' } },
})
