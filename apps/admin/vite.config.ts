import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

const coordinator = 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/admin/',
  // The preset would also bring Babel and its developer tools' bridge; a page this small needs neither.
  plugins: [preact({ devToolsEnabled: false })],
  build: {
    outDir: 'dist',
    target: 'es2022',
    // The polyfill is an inline script, which the coordinator's content security policy forbids.
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/api': coordinator,
      '/models': coordinator,
      '/socket.io': { target: coordinator, ws: true },
    },
  },
});
