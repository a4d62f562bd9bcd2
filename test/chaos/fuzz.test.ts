import { expect, it } from 'vitest';
import { fuzz } from '../fuzz/fuzz-run.ts';

const SEED = Number(process.env.COPPICE_FUZZ_SEED ?? 1);

it(`a coordinator that is sent nonsense goes on training what honest participants send (COPPICE_FUZZ_SEED=${SEED})`, {
  timeout: 120_000,
}, async () => {
  const { broken, sent, rounds, refused } = await fuzz({ seed: SEED, messages: 4000 });
  expect(broken).toEqual([]);
  expect(sent).toBeGreaterThanOrEqual(4000);
  expect(rounds).toBeGreaterThanOrEqual(2);
  // What it was sent reached every part: schemas, frames, tickets, sums.
  for (const code of [
    'message-invalid',
    'frame-invalid',
    'update-shape',
    'update-norm',
    'ticket-invalid',
    'update-measure',
    'run-unknown',
  ])
    expect(refused, code).toHaveProperty([code]);
});
