import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, loadEnv } from 'vite';

// The pages are served under `default-src 'self'`: nothing may be inlined, so small files become assets too.
export default defineConfig({
  plugins: [svelte()],
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
  },
  server: {
    proxy: { '/api': loadEnv('', '.', 'WATCHFIRE_').WATCHFIRE_URL ?? 'http://127.0.0.1:8080' },
  },
});
