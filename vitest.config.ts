import { defineConfig } from 'vitest/config';

const everywhere = { exclude: ['**/node_modules/**', '**/dist/**'] };

/** End-to-end tests that hold the product to a time: they run one after another, with nothing beside them. */
const TIMED = ['e2e/demo.test.ts', 'e2e/drills.test.ts', 'e2e/snapshot.test.ts'];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...everywhere,
          name: 'unit',
          // Generous: some start processes, and CI has two cores for all of them.
          testTimeout: 30_000,
          hookTimeout: 60_000,
          // An upper bound only: a poll ends as soon as it is met.
          expect: { poll: { timeout: 10_000 } },
          include: [
            'packages/*/src/**/*.test.ts',
            'apps/server/src/**/*.test.ts',
            'demo/src/**/*.test.ts',
            'tools/**/*.test.ts',
            'bench/src/**/*.test.ts',
          ],
          exclude: [...everywhere.exclude, '**/*.db.test.ts'],
        },
      },
      {
        test: {
          ...everywhere,
          name: 'db',
          include: ['packages/*/src/**/*.db.test.ts', 'apps/server/src/**/*.db.test.ts'],
          globalSetup: ['./tools/postgres-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
          expect: { poll: { timeout: 10_000 } },
        },
      },
      {
        test: {
          ...everywhere,
          name: 'console',
          include: ['apps/console/src/**/*.test.{ts,tsx}'],
        },
      },
      {
        test: {
          ...everywhere,
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: [...everywhere.exclude, ...TIMED],
          testTimeout: 180_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          ...everywhere,
          name: 'timed',
          include: TIMED,
          testTimeout: 180_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
