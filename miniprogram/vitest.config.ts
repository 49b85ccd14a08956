import { defineConfig } from 'vitest/config'

export default defineConfig({
  define: { __API_BASE__: JSON.stringify('http://127.0.0.1:8080/api/v1') },
  test: { environment: 'node', include: ['tests/unit/**/*.spec.ts'] },
})
