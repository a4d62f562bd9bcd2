import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

/** Tests start the programs hundreds of times; from their compiled form, kept here, that takes half as long. */
process.env.NODE_COMPILE_CACHE ||= fileURLToPath(new URL('./node_modules/.cache/compiled', import.meta.url));

/** What a page takes is measured: nothing else should be at work beside it. */
const measured = ['test/e2e/steadiness.test.ts'];

/** Tests that lie beside what they test: every property is in one of these. */
const rooms = ['packages/**/*.test.{ts,tsx}', 'apps/**/*.test.{ts,tsx}'];

/** Those that take a minute each, for the long suite alone. */
const long = ['**/*.long.test.ts'];

/**
 * Rooms whose modules keep nothing from one test to the next: files of these share a worker and what it has loaded. Pages
 * and tfjs keep state of a whole program.
 */
export const sharing = 'continuity|coordinator|datasets|federation|kernels|participant|ports|protocol';

/** Tests in those rooms that replace a module, a global or a variable of the process: each has a worker of its own. */
export const replacing = [
  'packages/coordinator/src/realtime/pace.test.ts',
  'packages/coordinator/src/storage/s3-blobs.test.ts',
  'packages/participant/src/browser/idb.fuzz.test.ts',
  'packages/participant/src/socket-transport.test.ts',
  'packages/ports/src/ports.test.ts',
];

/** `expect.poll` ends as soon as its condition holds; a second, its own default, is not enough for a busy machine. */
const patient = { poll: { timeout: 30_000 } };

const unit = {
  setupFiles: ['test/property-seed.ts'],
  expect: patient,
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

/*
 * `unit` and `unit-apart` are fast and parallel; `e2e` drives real browsers and servers, and waits more than it computes; `alone` measures a
 * page, one file at a time; `properties` and `chaos` are long and draw new seeds.
 */
export default defineConfig({
  test: {
    // Most tests wait for disks, sockets and clocks: a worker more than there are processors keeps these at work.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        test: {
          name: 'unit',
          include: [`packages/(${sharing})/**/*.test.ts`],
          exclude: [...configDefaults.exclude, ...long, ...replacing],
          isolate: false,
          ...unit,
        },
      },
      {
        test: {
          name: 'unit-apart',
          include: [
            'apps/**/*.test.{ts,tsx}',
            `packages/!(${sharing})/**/*.test.{ts,tsx}`,
            ...replacing,
            'test/*.test.ts',
            'test/cases/*.test.ts',
            'test/conformance/**/*.test.ts',
            'test/vectors/**/*.test.ts',
            'test/chaos/*.test.ts',
            'test/faults/*.test.ts',
            'tools/**/*.test.ts',
          ],
          exclude: [...configDefaults.exclude, ...long],
          ...unit,
        },
      },
      {
        // Long, and before `chaos`, which measures: `pnpm test:chaos`.
        test: {
          name: 'properties',
          include: rooms,
          setupFiles: ['test/property-seed.ts'],
          env: { COPPICE_PROPERTY_SEED: process.env.COPPICE_PROPERTY_SEED || 'new' },
          expect: patient,
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
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          sequence: { groupOrder: 2 },
          include: ['test/e2e/**/*.test.ts'],
          exclude: measured,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'alone',
          include: measured,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
