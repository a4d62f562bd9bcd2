import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/*
 * `pnpm simulate`. What a run compiles is kept beside the packages, for the next run and for the threads of this one: half of
 * its start is compiling. It must be on before anything else is loaded.
 */
const { directory } = enableCompileCache(
  fileURLToPath(new URL('../../../node_modules/.cache/coppice', import.meta.url)),
);
if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] ??= directory;
/*
 * Each model that comes or goes is memory outside of the heap, and every 64 MB of it make V8 mark the heap. Bit by bit, so that
 * nobody waits, that takes a tenth of all time; here nobody waits.
 */
setFlagsFromString('--no-incremental-marking');
// Threads that begin from here on. Young objects of each may take three times as much, and few live long.
setFlagsFromString('--max-semi-space-size=8');
await import('./command.ts');
