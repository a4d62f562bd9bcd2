import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/* `pnpm scenario`. What is compiled is kept beside the packages, for the next time and for the threads of this one. */
const { directory } = enableCompileCache(
  fileURLToPath(new URL('../../../../node_modules/.cache/coppice', import.meta.url)),
);
if (directory !== undefined) process.env['NODE_COMPILE_CACHE'] ??= directory;
await import('./command.ts');
