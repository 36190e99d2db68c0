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

/** Starts with the shipped detectors and the own ones, and looks for changes every few seconds until it is stopped. */
export async function createLiveClassifier(deps: {
  readonly db: Database;
  readonly envelope: SecretEnvelope;
  readonly logger: Logger;
}): Promise<LiveClassifier> {
  const shipped = createClassifier();
  let current: Classifier = shipped;
  let seen = '';
  const refresh = async (): Promise<void> => {
    const now = JSON.stringify(await listOwnDetectors(deps.db));
    if (now === seen || (seen === '' && now === '[]')) return;
    current = shipped.withRules(await loadOwnRules(deps));
    seen = now;
  };
  await refresh();
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
