import { type Classifier, type Finding, redact } from '@cordon/classifier';
import type { Direction, InspectionAction, InspectionResolver } from '@cordon/policy';
import type { FindingFacts } from '@cordon/lake';

/** What inspection did with one body. */
export interface Inspected {
  /** The same object when nothing was taken out. */
  readonly bytes: Buffer;
  readonly findings: readonly FindingFacts[];
  /** Classes that rules block, with the rule; the body must not go on. */
  readonly blocked: readonly { readonly class: string; readonly rule: string }[];
}

const CLEAN: Omit<Inspected, 'bytes'> = { findings: [], blocked: [] };
/** Secrets are replaced whole: four characters of one are four characters too many. */
const REPLACED = /^credential(?:\.|$)/;

/** Finds sensitive data in bodies and does what the rules say. Pure: the caller reads and writes the exchange. */
export class Inspector {
  readonly #classifier: Classifier;
  readonly #classes: readonly string[];
  readonly #indifferent = new WeakMap<InspectionResolver, boolean>();

  constructor(classifier: Classifier) {
    this.#classifier = classifier;
    this.#classes = [...new Set(classifier.detectors.map((detector) => detector.class))];
  }

  /** True when the rules allow every class there is: looking would change nothing and tell nobody anything. */
  #isIndifferent(resolve: InspectionResolver): boolean {
    let known = this.#indifferent.get(resolve);
    if (known === undefined) {
      known = this.#classes.every((name) => resolve(name).action === 'allow');
      this.#indifferent.set(resolve, known);
    }
    return known;
  }

  inspect(bytes: Buffer, contentType: string, direction: Direction, resolve: InspectionResolver): Inspected {
    if (bytes.length === 0 || this.#isIndifferent(resolve)) return { bytes, ...CLEAN };
    const found = this.#classifier.scan(bytes, contentType === '' ? {} : { contentType });
    if (found.length === 0) return { bytes, ...CLEAN };
    const counts = new Map<string, number>();
    const cut: Finding[] = [];
    const blocked = new Map<string, string>();
    for (const finding of found) {
      const { action, rule } = resolve(finding.class);
      counts.set(finding.class, (counts.get(finding.class) ?? 0) + 1);
      if (action === 'redact') cut.push(finding);
      else if (action === 'block') blocked.set(finding.class, rule.name);
    }
    const findings = [...counts].map(([name, count]) => describe(name, direction, count, resolve(name).action));
    return {
      bytes: cut.length > 0 && blocked.size === 0 ? splice(bytes, cut) : bytes,
      findings,
      blocked: [...blocked].map(([name, rule]) => ({ class: name, rule })),
    };
  }
}

function describe(name: string, direction: Direction, count: number, action: InspectionAction): FindingFacts {
  return { class: name, direction, count, action };
}

function splice(bytes: Buffer, findings: readonly Finding[]): Buffer {
  const { bytes: cleaned } = redact(bytes, findings, {
    mode: 'mask',
    replacement: (finding) => (REPLACED.test(finding.class) ? `[${finding.class} removed]` : undefined),
  });
  return Buffer.from(cleaned.buffer, cleaned.byteOffset, cleaned.byteLength);
}
