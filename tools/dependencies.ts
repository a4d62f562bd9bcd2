import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.ts';

/*
 * What is installed, by licence and by known holes. Run by `pnpm check`.
 */

/** Licences that require no more than attribution. MPL-2.0 binds changes of its own files, and there are none. */
const allowed = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  // Data about browsers that the build asks; none of it is served.
  'CC-BY-4.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'MPL-2.0',
  'OFL-1.1',
  'Python-2.0',
  'Unlicense',
  'Zlib',
]);

/** Licences that packages tell in a file of their own. */
const told = new Map([
  // In the public domain, as a work of NIST; parts of it are pyfive's.
  ['jsfive', 'CC0-1.0 AND BSD-3-Clause'],
]);

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string | { readonly type: string };
  readonly licenses?: readonly { readonly type: string }[];
}

/** Every installed package, transitive ones included. */
function installed(): Manifest[] {
  const store = join(root, 'node_modules', '.pnpm');
  const found = new Map<string, Manifest>();
  for (const entry of readdirSync(store)) {
    const folder = join(store, entry, 'node_modules');
    if (!existsSync(folder)) continue;
    const names = readdirSync(folder).flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(folder, name)).map((one) => `${name}/${one}`) : [name],
    );
    for (const name of names) {
      const path = join(folder, name, 'package.json');
      if (!existsSync(path)) continue;
      const manifest = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
      found.set(`${manifest.name}@${manifest.version}`, manifest);
    }
  }
  return [...found.values()];
}

function licenceOf({ name, license, licenses }: Manifest): string {
  if (typeof license === 'string' && license.startsWith('SEE LICENSE IN')) return told.get(name) ?? license;
  if (typeof license === 'string') return license;
  return license?.type ?? licenses?.map(({ type }) => type).join(' OR ') ?? 'none named';
}

/** Checks that an SPDX expression can be met: one side of an OR, both of an AND. */
export function isAllowed(expression: string): boolean {
  const bare = expression.replace(/^\((.*)\)$/, '$1');
  if (bare.includes(' OR ')) return bare.split(' OR ').some(isAllowed);
  if (bare.includes(' AND ')) return bare.split(' AND ').every(isAllowed);
  return allowed.has(bare);
}

/** @returns one sentence for each package whose licence is not allowed. */
export function checkLicences(): { failures: string[]; summary: string } {
  const counts = new Map<string, number>();
  const failures: string[] = [];
  for (const manifest of installed()) {
    const licence = licenceOf(manifest);
    counts.set(licence, (counts.get(licence) ?? 0) + 1);
    if (!isAllowed(licence))
      failures.push(
        `${manifest.name}@${manifest.version} is under "${licence}", which tools/dependencies.ts does not allow`,
      );
  }
  const summary = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([licence, count]) => `${licence} ${count}`)
    .join(', ');
  return { failures, summary };
}

/** Known vulnerabilities in shipped and used packages. `null`: the registry is unavailable, or has no answer. */
export function audit(): { failures: string[] } | null {
  const { stdout } = spawnSync('npx', ['-y', 'pnpm@12', 'audit', '--prod', '--json'], {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  });
  let report: {
    advisories?: Record<string, { module_name: string; severity: string; title: string; url: string }>;
  };
  try {
    report = JSON.parse(stdout) as typeof report;
  } catch {
    return null;
  }
  if (report.advisories === undefined) return null;
  const failures = Object.values(report.advisories)
    .filter(({ severity }) => severity === 'high' || severity === 'critical')
    .map(({ module_name, severity, title, url }) => `${module_name}: ${severity}: ${title} (${url})`);
  return { failures };
}
