import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/* `pnpm data`. What is compiled is kept beside the packages, for the next time. */
enableCompileCache(fileURLToPath(new URL('../../../../node_modules/.cache/coppice', import.meta.url)));
await import('./command.ts');
