import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Relative paths: the same files are served by the window's own protocol and by `flowglass serve --ui`.
  base: './',
  plugins: [svelte()],
  build: {
    target: ['es2022', 'safari16.4'],
    // Nothing becomes a data: address, so the content security policy can stay at 'self'.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { port: 5173, strictPort: true, proxy: { '/api': 'http://127.0.0.1:4400' } },
  // Under vitest the browser build of Svelte is wanted, not the server one.
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts', 'tests/**/*.test.ts'] },
});
