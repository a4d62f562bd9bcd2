import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** A browser on a busy machine is a race now and then; what was tried twice is said so in the output, and looked into. */
const retry = 1;

/** What a page takes is measured: nothing else should be at work beside it. */
const measured = ['test/e2e/steadiness.test.ts'];

/*
 * `unit` is fast and parallel; `e2e` drives real browsers and servers, and waits more than it computes; `alone` measures a
 * page, one file at a time; `chaos` is long.
 */
export default defineConfig({
  test: {
    // Of two processors Vitest would leave one alone, but most tests wait for disks, sockets and clocks.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'packages/**/*.test.{ts,tsx}',
            'apps/**/*.test.{ts,tsx}',
            'test/conformance/**/*.test.ts',
            'test/chaos/*.test.ts',
            'test/faults/*.test.ts',
            'tools/**/*.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Long: `pnpm test:chaos`.
        test: {
          name: 'chaos',
          include: ['test/chaos/long/**/*.test.ts'],
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: measured,
          retry,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'alone',
          include: measured,
          fileParallelism: false,
          retry,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
