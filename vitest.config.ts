import { defineConfig } from 'vitest/config';

// Two projects: `unit` is fast and parallel; `e2e` drives real browsers and servers, one file at a time.
export default defineConfig({
  test: {
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
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
