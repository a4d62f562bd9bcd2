import { measureLoad } from './rounds.ts';

const number = (name: string, otherwise: number) => Number(process.env[name] ?? otherwise);
const figures = await measureLoad(
  {
    participants: number('COPPICE_LOAD_PARTICIPANTS', 5000),
    cohort: number('COPPICE_LOAD_COHORT', 1000),
    rounds: number('COPPICE_LOAD_ROUNDS', 5),
    warmUp: 2,
    idle: 10_000,
    task: 'mnist-2nn',
    execArgv:
      process.env['COPPICE_LOAD_PROFILE'] === undefined
        ? (process.env['COPPICE_LOAD_ARGS'] ?? '').split(' ').filter(Boolean)
        : ['--cpu-prof', `--cpu-prof-dir=${process.env['COPPICE_LOAD_PROFILE']}`],
  },
  (line) => process.stdout.write(`${line}\n`),
);
process.stdout.write(JSON.stringify(figures, null, 1));
