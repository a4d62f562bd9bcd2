import { expect, it } from 'vitest';
import { fuzz } from '../../fuzz/fuzz-run.ts';

const MESSAGES = Number(process.env.COPPICE_FUZZ_MESSAGES ?? 100_000);
const SEED = Number(process.env.COPPICE_FUZZ_SEED ?? Date.now() % 100_000);
const MiB = 2 ** 20;
/** So much more may be held at the end than after the first quarter, which filled caches and compiled the code. */
const HELD = 6 * MiB;
/** The allocator keeps some of what was freed. */
const RESIDENT = 160 * MiB;

it(`${MESSAGES} mutated messages neither stop, stall nor swell a coordinator (COPPICE_FUZZ_SEED=${SEED})`, {
  timeout: 60 * 60_000,
}, async () => {
  const report = await fuzz({ seed: SEED, messages: MESSAGES });
  process.stdout.write(`${JSON.stringify(report)}\n`);
  expect(report.broken).toEqual([]);
  expect(report.sent).toBeGreaterThanOrEqual(MESSAGES);
  expect(report.rounds).toBeGreaterThanOrEqual(MESSAGES / 1000);
  const [first, ...others] = report.memory;
  for (const { held, resident } of others) {
    expect(held - (first?.held ?? 0)).toBeLessThan(HELD);
    expect(resident - (first?.resident ?? 0)).toBeLessThan(RESIDENT);
  }
  expect(others).toHaveLength(3);
});
