import preact from '@preact/preset-vite';
import { defineConfig, type EnvironmentModuleNode, type Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';

const coordinator = 'http://127.0.0.1:8080';

/** Reloads the page in development: a running worker cannot accept a changed module. */
const reloadForWorkers: Plugin = {
  name: 'reload-for-workers',
  apply: 'serve',
  hotUpdate({ modules }) {
    const seen = new Set<EnvironmentModuleNode>();
    const inWorker = (module: EnvironmentModuleNode): boolean => {
      if (seen.has(module)) return false;
      seen.add(module);
      return module.url.includes('worker_file') || [...module.importers].some(inWorker);
    };
    if (!modules.some(inWorker)) return;
    this.environment.hot.send({ type: 'full-reload' });
    return [];
  },
};

export default defineConfig({
  base: '/',
  // The preset would also bring Babel and its developer tools' bridge; a page this small needs neither.
  plugins: [
    preact({ devToolsEnabled: false }),
    reloadForWorkers,
    VitePWA({
      // A new version waits for the person's click: it must never interrupt a round.
      registerType: 'prompt',
      injectRegister: false,
      manifest: false,
      workbox: {
        globPatterns: ['**/*.{html,js,css,wasm,svg,png,woff2,webmanifest}'],
        // Loaded only where there is WebGPU; without the coordinator another backend does.
        globIgnores: ['**/webgpu-kernels-*.js'],
        // tfjs is one large chunk, and offline is of little use without it.
        maximumFileSizeToCacheInBytes: 16 * 2 ** 20,
        // Only the page itself is answered from the cache. Everything else that is not one of its files
        // (/api, /models, /socket.io, /admin) goes to the coordinator, and is kept nowhere.
        navigateFallback: 'index.html',
        navigateFallbackAllowlist: [/^\/(\?|$)/],
        cleanupOutdatedCaches: true,
        sourcemap: false,
      },
    }),
  ],
  worker: { format: 'es' },
  build: {
    outDir: 'dist',
    target: 'es2022',
    // The polyfill is an inline script, which the coordinator's content security policy forbids.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2500,
  },
  server: {
    proxy: {
      '/api': coordinator,
      '/models': coordinator,
      '/socket.io': { target: coordinator, ws: true },
    },
  },
});
