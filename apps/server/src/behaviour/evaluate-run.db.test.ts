import { createTestLake } from '@cordon/lake/testing';
import { expect, test } from 'vitest';
import { evaluateOnLake } from './evaluate-run.ts';

const TEST_MS_MAX = 180_000;

/** Small, so that it runs each time; docs/ueba.md has the figures of the whole. */
test(
  'attacks in a made-up organisation are among the riskiest of their day, and clean days are quiet',
  async () => {
    const made = await createTestLake();
    try {
      const from = Date.UTC(2026, 7, 3);
      const options = { people: 30, days: 27, learningDays: 20, attacks: 5, seed: 3, from };
      const result = await evaluateOnLake(made.lake, options);
      expect(result).toMatchObject({ attacks: 5, judgedDays: 7 });
      expect(result.recallAt[5]).toBeGreaterThanOrEqual(0.8);
      expect(result.falseAlertsPer1000).toBeLessThanOrEqual(10);
    } finally {
      await made.close();
    }
  },
  TEST_MS_MAX,
);
