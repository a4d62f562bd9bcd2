import { runVectors } from './run.ts';

/** `pnpm vectors FILE…`: runs files of numeric cases against the functions that production calls. */
process.exitCode = await runVectors(
  process.argv.slice(2).filter((arg) => arg !== '--'),
  (line) => process.stdout.write(`${line}\n`),
  (line) => process.stderr.write(`${line}\n`),
);
