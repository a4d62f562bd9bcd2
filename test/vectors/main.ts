import { runVectors } from './run.ts';

// A reader that has seen enough, such as `head`, ends the run.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  process.exit(code === 'EPIPE' ? 0 : 1);
});

/** `pnpm vectors FILE…`: runs files of numeric cases against the functions that production calls. */
process.exitCode = await runVectors(
  process.argv.slice(2).filter((arg) => arg !== '--'),
  (line) => process.stdout.write(`${line}\n`),
  (line) => process.stderr.write(`${line}\n`),
);
