import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/*
 * `pnpm simulate`. What a run compiles is kept beside the packages, for the next run and for the threads of this one: half of
 * its start is compiling. It must be on before anything else is loaded.
 */
const { directory } = enableCompileCache(
  fileURLToPath(new URL('../../../node_modules/.cache/coppice', import.meta.url)),
);
if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] ??= directory;
await import('./command.ts');
