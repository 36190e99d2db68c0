import { describe, expect, test } from 'vitest';
import { createClassifier } from './classifier.ts';
import { loadDetectors } from './detector-load.ts';

// A bar in a sample keeps its text from looking like a live secret to scanners of this repository.
const joinSample = (sample: string): string => sample.replaceAll('¦', '');

const detectors = loadDetectors();
const classifier = createClassifier({ detectors, exhaustive: true, minConfidence: 0 });
const inline = createClassifier({ detectors });
const typesIn = (text: string): string[] =>
  classifier.scan(new TextEncoder().encode(text)).map((finding) => finding.type);

const cases = (kind: 'hit' | 'miss'): [string, string][] =>
  detectors.flatMap((detector) =>
    detector.samples[kind].map((sample): [string, string] => [detector.type, joinSample(sample)]),
  );

describe('samples beside the detectors', () => {
  test.each(cases('hit'))('%s is found in %j', (type, text) => {
    expect(typesIn(text)).toContain(type);
  });

  test.each(cases('miss'))('%s is not found in %j', (type, text) => {
    const found = inline.scan(new TextEncoder().encode(text));
    expect(found.map((finding) => finding.type)).not.toContain(type);
  });

  test('every detector has a sample that hits', () => {
    expect(
      detectors
        .filter((detector) => detector.samples.hit.length === 0 && !detector.type.endsWith('-placeholder'))
        .map((detector) => detector.type),
    ).toEqual([]);
  });
});
