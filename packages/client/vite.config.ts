import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/*
 * An ordinary build with an entry that keeps its exports. Vite's mode for libraries would put the WebAssembly files of
 * tfjs, megabytes that few models need, into scripts.
 */
export default defineConfig({
  base: './',
  publicDir: false,
  build: {
    outDir: 'dist',
    target: 'es2022',
    // Preloading asks for a document, which a worker does not have.
    modulePreload: false,
    chunkSizeWarningLimit: 2500,
    // Of all that is built in.
    license: { fileName: 'licences.md' },
    rolldownOptions: {
      input: fileURLToPath(new URL('./src/index.ts', import.meta.url)),
      preserveEntrySignatures: 'strict',
      output: { entryFileNames: 'coppice.js' },
    },
  },
});
