import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { mostConnections } from './most-connections.ts';

it('leaves open files for storage and log, whatever the limit is', () => {
  expect(mostConnections(null)).toBeNull();
  expect(mostConnections(20_000)).toBe(19_800);
  expect(mostConnections(1024)).toBe(824);
  for (const limit of [1, 2, 100, 256, 399, 400, 401]) {
    const most = mostConnections(limit) as number;
    expect(most).toBeLessThan(limit);
    expect(most).toBeGreaterThanOrEqual(Math.floor(limit / 2));
  }
});

it.runIf(process.platform === 'linux')('reads the limit that the system sets', () => {
  const script = `import('${new URL('most-connections.ts', import.meta.url).href}').then(({ mostConnections }) => console.log(mostConnections()))`;
  const out = execFileSync('/bin/sh', [
    '-c',
    'ulimit -n 1500 && exec "$0" -e "$1"',
    process.execPath,
    script,
  ]);
  expect(String(out).trim()).toBe('1300');
});
