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
  /** Findings that reach, or are in, the app: all of an answer, of a request what was let through. Offsets are into the bytes as they came. Undefined: nobody had to look. */
  readonly found: readonly Finding[] | undefined;
}

const CLEAN: Omit<Inspected, 'bytes'> = { findings: [], blocked: [], found: [] };
/** Secrets are replaced whole: four characters of one are four characters too many. */
const REPLACED = /^credential(?:\.|$)/;

/** Finds sensitive data in bodies and does what the rules say. Pure: the caller reads and writes the exchange. */
export class Inspector {
  readonly #classifier: Classifier;
  readonly #classes: readonly Pick<Finding, 'class' | 'label'>[];
  readonly #indifferent = new WeakMap<InspectionResolver, boolean>();

  constructor(classifier: Classifier) {
    this.#classifier = classifier;
    const classes = classifier.detectors.map(({ class: name, label }): [string, Pick<Finding, 'class' | 'label'>] => [
      `${name} ${label}`,
      { class: name, label },
    ]);
    this.#classes = [...new Map(classes).values()];
  }

  /** True when the rules allow every class there is: looking would change nothing and tell nobody anything. */
  #isIndifferent(resolve: InspectionResolver): boolean {
    let known = this.#indifferent.get(resolve);
    if (known === undefined) {
      known = this.#classes.every(({ class: name, label }) => resolve(name, label).action === 'allow');
      this.#indifferent.set(resolve, known);
    }
    return known;
  }

  inspect(bytes: Buffer, contentType: string, direction: Direction, resolve: InspectionResolver): Inspected {
    if (bytes.length === 0) return { bytes, ...CLEAN };
    if (this.#isIndifferent(resolve)) return { bytes, ...CLEAN, found: undefined };
    const found = this.#classifier.scan(bytes, contentType === '' ? {} : { contentType });
    if (found.length === 0) return { bytes, ...CLEAN };
    const counts = new Map<string, { count: number; action: InspectionAction }>();
    const cut: Finding[] = [];
    const blocked = new Map<string, string>();
    for (const finding of found) {
      const { action, rule } = resolve(finding.class, finding.label);
      // One class may hold labels of its own, with a rule for each.
      const key = `${action} ${finding.class}`;
      counts.set(key, { count: (counts.get(key)?.count ?? 0) + 1, action });
      if (action === 'redact') cut.push(finding);
      else if (action === 'block') blocked.set(finding.class, rule.name);
    }
    const findings = [...counts].map(([key, { count, action }]) =>
      describe(key.slice(action.length + 1), direction, count, action),
    );
    return {
      bytes: cut.length > 0 && blocked.size === 0 ? splice(bytes, cut) : bytes,
      findings,
      blocked: [...blocked].map(([name, rule]) => ({ class: name, rule })),
      found:
        blocked.size > 0
          ? []
          : cut.length === 0 || direction === 'response'
            ? found
            : found.filter((one) => !cut.includes(one)),
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
