import { execSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { page } from './report.ts';
import { type LoadOptions, measureLoad } from './rounds.ts';
import { type SoakOptions, soak } from './soak.ts';

/*
 * `pnpm test:load`: thousands of participants on one coordinator, measured; writes docs/results/load.md. Shorter with
 * COPPICE_LOAD_ROUNDS. Smaller with COPPICE_LOAD_PARTICIPANTS and COPPICE_LOAD_COHORT, which then only prints;
 * so does COPPICE_LOAD_ARGS, which goes to the coordinator's Node (`--cpu-prof --cpu-prof-dir=…`).
 */
const given = (name: string) => process.env[`COPPICE_LOAD_${name}`];
const options: LoadOptions = {
  participants: Number(given('PARTICIPANTS') ?? 5000),
  cohort: Number(given('COHORT') ?? 1000),
  rounds: Number(given('ROUNDS') ?? 10),
  warmUp: 2,
  idle: 10_000,
  task: 'mnist-2nn',
  execArgv: (given('ARGS') ?? '').split(' ').filter((arg) => arg !== ''),
};
const soakOptions: SoakOptions = { participants: 50, rounds: 300, warmUp: 100, every: 10, task: 'iris' };

const openFiles = execSync('ulimit -n', { encoding: 'utf8' }).trim();
if (openFiles !== 'unlimited' && Number(openFiles) < options.participants + 500) {
  process.stderr.write(
    `This shell lets a process open ${openFiles} files; ${options.participants} connections need more. Set "ulimit -n ${options.participants + 500}" and try again.\n`,
  );
  process.exit(1);
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.version}`;
const load = (loadavg()[0] ?? 0).toFixed(1);
const figures = await measureLoad(options, say);
const measured = { machine, load, openFiles, options, figures, soakOptions, soak: await soak(soakOptions) };
const text = page(measured);
if (['PARTICIPANTS', 'COHORT', 'ARGS'].every((name) => given(name) === undefined)) {
  const folder = join(fileURLToPath(new URL('../..', import.meta.url)), 'docs', 'results');
  writeFileSync(join(folder, 'load.md'), text);
  writeFileSync(join(folder, 'load.json'), `${JSON.stringify(measured, null, 2)}\n`);
}
say(text);
