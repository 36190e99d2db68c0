import { type Classifier, type CustomRule, unpackOwnRule } from '@cordon/classifier';
import { type Entries, listEntries, type OwnDetectorEntry } from '@cordon/policy';
import type { GatewayRuntime } from './runtime.ts';

const RETRY_MS = 2_000;

type Needs = Pick<GatewayRuntime, 'envelope' | 'inspector' | 'logger'>;

/**
 * Gives the inspector what the organisation itself looks for. The bytes are fetched by their hash; until those of a
 * change are here, what was known before stays in force. A detector that can't be had is tried again and logged.
 */
export class OwnDetectors {
  readonly #needs: Needs;
  readonly #shipped: Classifier;
  readonly #blob: (sha256: string) => Promise<Buffer>;
  #wanted = '';
  #loaded: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(needs: Needs, shipped: Classifier, blob: (sha256: string) => Promise<Buffer>) {
    this.#needs = needs;
    this.#shipped = shipped;
    this.#blob = blob;
  }

  apply(entries: Entries): void {
    const detectors = listEntries(entries, 'own-detector').toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const wanted = JSON.stringify(detectors);
    if (wanted === this.#wanted || (this.#wanted === '' && detectors.length === 0)) return;
    this.#wanted = wanted;
    this.#loaded = this.#load(detectors, wanted);
  }

  /** Resolves when the first try for what was last asked for is over. */
  get loaded(): Promise<void> {
    return this.#loaded;
  }

  async #load(detectors: readonly OwnDetectorEntry[], wanted: string): Promise<void> {
    clearTimeout(this.#retry);
    const { inspector, logger } = this.#needs;
    const rules: CustomRule[] = [];
    let missing = false;
    for (const detector of detectors) {
      try {
        rules.push(await this.#ruleOf(detector));
      } catch (error) {
        missing = true;
        logger.error({ err: error, detector: detector.name }, 'an own detector cannot be had yet; trying again');
      }
    }
    if (this.#stopped || wanted !== this.#wanted) return;
    inspector.setClassifier(this.#shipped.withRules(rules));
    if (missing) {
      this.#retry = setTimeout(() => void this.#load(detectors, wanted), RETRY_MS);
      this.#retry.unref();
    }
  }

  async #ruleOf(detector: OwnDetectorEntry): Promise<CustomRule> {
    const { name, title, label, category, confidence, sha256, keyId, sealed } = detector;
    const key = this.#needs.envelope.open(sealed, `own-detector-key:${keyId}`);
    return unpackOwnRule(await this.#blob(sha256), { name, title, label, category, confidence }, key);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }
}
