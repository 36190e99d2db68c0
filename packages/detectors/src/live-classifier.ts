import { type Classifier, createClassifier, type CustomRule, unpackOwnRule } from '@cordon/classifier';
import type { Database, Logger, SecretEnvelope } from '@cordon/kernel';
import { openKeys } from './detector-key.ts';
import { listOwnDetectors, readPackedDetector } from './detector-store.ts';

const LOOK_INTERVAL_MS = 3_000;

/** A classifier that knows the organisation's own detectors, as they are now. */
export interface LiveClassifier extends Classifier {
  /** Looks for changes at once; what was begun goes on with what it had. */
  refresh(): Promise<void>;
  stop(): void;
}

/** The enabled detectors as rules. One that can't be read is left out and named in the log. */
export async function loadOwnRules(deps: {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
}): Promise<CustomRule[]> {
  const { db, envelope, logger } = deps;
  const detectors = (await listOwnDetectors(db)).filter(({ enabled, sha256 }) => enabled && sha256 !== null);
  if (detectors.length === 0) return [];
  const keys = await openKeys(db, envelope);
  const rules: CustomRule[] = [];
  for (const { name, title, label, category, confidence, sha256, keyId } of detectors) {
    try {
      const packed = await readPackedDetector(db, sha256 ?? '');
      const key = keys.get(keyId);
      if (packed && key) rules.push(unpackOwnRule(packed, { name, title, label, category, confidence }, key));
    } catch (error) {
      logger.error({ err: error, detector: name }, 'an own detector cannot be read; it finds nothing');
    }
  }
  return rules;
}

/**
 * Gives the classifier with the own detectors as they are when it is asked for. Nothing is compiled or read again while
 * they stay the same; the shipped ones are compiled with the first question.
 */
export function createOwnClassifier(deps: Parameters<typeof loadOwnRules>[0]): () => Promise<Classifier> {
  let shipped: Classifier | undefined;
  let known: { readonly state: string; readonly classifier: Classifier } | undefined;
  return async () => {
    const state = JSON.stringify(await listOwnDetectors(deps.db));
    if (known?.state === state) return known.classifier;
    const rules = await loadOwnRules(deps);
    shipped ??= createClassifier();
    known = { state, classifier: shipped.withRules(rules) };
    return known.classifier;
  };
}

/** Starts with the shipped detectors and the own ones, and looks for changes every few seconds until it is stopped. */
export async function createLiveClassifier(deps: {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
}): Promise<LiveClassifier> {
  const ask = createOwnClassifier(deps);
  let current = await ask();
  const refresh = async (): Promise<void> => {
    current = await ask();
  };
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = running.then(refresh).catch((error: unknown) => {
      deps.logger.warn({ err: error }, 'own detectors cannot be looked at; those known stay in force');
    });
  }, LOOK_INTERVAL_MS);
  timer.unref();
  return {
    get detectors() {
      return current.detectors;
    },
    scan: (bytes, options) => current.scan(bytes, options),
    open: (options) => current.open(options),
    withRules: (rules) => current.withRules(rules),
    refresh,
    stop: () => clearInterval(timer),
  };
}
