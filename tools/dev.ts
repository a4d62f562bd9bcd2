import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { root, searchPath } from './run.ts';

/*
 * `pnpm dev`: the coordinator, restarted when its sources change, and Vite's servers for both pages,
 * which pass /api, /models and the sockets on to it.
 */
const env = {
  ...process.env,
  PATH: searchPath(),
  // One key through all restarts, so that an edit signs no one out.
  COPPICE_ADMIN_KEY: process.env.COPPICE_ADMIN_KEY ?? randomBytes(24).toString('base64url'),
};
const programs: [string, string[]][] = [
  [
    'node',
    [
      '--watch',
      '--watch-preserve-output',
      'packages/coordinator/src/main.ts',
      '--port',
      '8080',
      ...process.argv.slice(2),
    ],
  ],
  ['vite', ['apps/client', '--port', '5173', '--strictPort']],
  ['vite', ['apps/admin', '--port', '5174', '--strictPort']],
];

process.stdout.write(
  `Client page  http://localhost:5173/\nAdmin page   http://localhost:5174/admin/?key=${encodeURIComponent(env.COPPICE_ADMIN_KEY)}\n\n`,
);
const children = programs.map(([command, args]) =>
  spawn(command, args, { cwd: root, env, stdio: 'inherit' }),
);
const stop = () => {
  for (const child of children) child.kill('SIGTERM');
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
for (const child of children) child.once('exit', stop);
