import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildKernels } from './build-kernels.ts';
import { audit, checkLicences } from './dependencies.ts';
import { root, run } from './run.ts';

/*
 * `pnpm check`: format and lint, types of every room, import direction, unused code, licences and known
 * holes of what is installed. Undeclared imports
 * do not resolve, in Node and in tsc alike, so a room's package.json is its list of allowed imports;
 * what is checked here beyond that is that those lists point downward.
 */

/** Rooms from the ground up; a room may depend on those before it. */
const floors = [
  'protocol',
  'ports',
  'kernels',
  'federation',
  'continuity',
  'ui',
  'model-files',
  'training',
  'datasets',
  'participant',
  'client',
  'coordinator',
  'client-page',
  'admin',
  'simulate',
  'test',
];
/** Rooms that must never import each other: coordinator and participant share vocabulary and maths only. */
const strangers = [
  ['coordinator', 'participant'],
  ['client', 'coordinator'],
  ['federation', 'training'],
  ['continuity', 'federation'],
  ['continuity', 'kernels'],
  ['ports', 'protocol'],
  ['kernels', 'protocol'],
] as const;

await buildKernels();
const failures: string[] = [];
const folders = [
  ...readdirSync(join(root, 'packages')).map((name) => join('packages', name)),
  ...readdirSync(join(root, 'apps')).map((name) => join('apps', name)),
  'test',
];

for (const folder of folders) {
  const { name, dependencies, devDependencies } = JSON.parse(
    readFileSync(join(root, folder, 'package.json'), 'utf8'),
  ) as {
    name: string;
    dependencies?: Record<string, string>;
    /** Of a room that is published, which is built with all that it imports. */
    devDependencies?: Record<string, string>;
  };
  const room = name.replace('@coppice/', '');
  if (!floors.includes(room)) failures.push(`${folder} has no floor in tools/check.ts`);
  for (const dependency of Object.keys({ ...dependencies, ...devDependencies })) {
    if (!dependency.startsWith('@coppice/')) continue;
    const other = dependency.replace('@coppice/', '');
    if (floors.indexOf(other) >= floors.indexOf(room))
      failures.push(`${room} must not import ${other}: it lies above`);
    if (strangers.some((pair) => pair.includes(room as never) && pair.includes(other as never)))
      failures.push(`${room} must not import ${other}`);
  }
}
process.stdout.write(failures.length === 0 ? 'import direction: ok\n' : `${failures.join('\n')}\n`);

const steps: [string, string, string[]][] = [
  ['format and lint', 'biome', ['check', '--error-on-warnings', '.']],
  ...folders.map((folder): [string, string, string[]] => [`types of ${folder}`, 'tsc', ['-p', folder]]),
  ['types of tools and tests', 'tsc', ['-p', 'tsconfig.tests.json']],
  ['unused code', 'knip', ['--no-progress']],
];
for (const [what, command, args] of steps) {
  const code = await run(command, args);
  process.stdout.write(`${what}: ${code === 0 ? 'ok' : 'FAILED'}\n`);
  if (code !== 0) failures.push(what);
}
const licences = checkLicences();
failures.push(...licences.failures);
process.stdout.write(`licences: ${licences.failures.length === 0 ? 'ok' : 'FAILED'} (${licences.summary})\n`);
const holes = audit();
failures.push(...(holes?.failures ?? []));
process.stdout.write(
  `known holes: ${holes === null ? 'not looked up, the registry did not answer' : holes.failures.length === 0 ? 'ok' : 'FAILED'}\n`,
);
if (failures.length > 0) {
  process.stderr.write(`\n${failures.length} failed: ${failures.join('; ')}\n`);
  process.exitCode = 1;
}
