import { type Classifier, type Deidentifier, type Finding, redact } from '@cordon/classifier';
import {
  type Direction,
  type InspectionAction,
  type InspectionResolver,
  isMotionAction,
  type MotionAction,
} from '@cordon/policy';
import type { FindingFacts } from '@cordon/lake';

/** A class that a rule does not let through, and what it asks for. */
export interface Blocked {
  readonly class: string;
  readonly rule: string;
  readonly ruleId: string;
  readonly action: 'block' | 'justify' | 'quarantine';
}

/** Whether a rule that asks for a person has been answered. */
export type Passed = (action: 'justify' | 'quarantine', ruleId: string) => boolean;
const NOT_PASSED: Passed = () => false;

/** What inspection did with one body. */
export interface Inspected {
  /** The same object when nothing was taken out. */
  readonly bytes: Buffer;
  readonly findings: readonly FindingFacts[];
  /** Classes that rules block, with the rule; the body must not go on. */
  readonly blocked: readonly Blocked[];
  /** Findings that reach, or are in, the app: all of an answer, of a request what was let through. Offsets are into the bytes as they came. Undefined: nobody had to look. */
  readonly found: readonly Finding[] | undefined;
}

const CLEAN: Omit<Inspected, 'bytes'> = { findings: [], blocked: [], found: [] };
/** Secrets are replaced whole: four characters of one are four characters too many. */
const REPLACED = /^credential(?:\.|$)/;
/** What people are told of: the rule says whom and what next. */
const TELLING: ReadonlySet<MotionAction> = new Set(['notify', 'justify', 'quarantine', 'block']);
/** A rule for many of a class must not be overlooked where one is allowed. */
const COUNT_HIGHEST = Number.MAX_SAFE_INTEGER;

/** Finds sensitive data in bodies and does what the rules say. Pure: the caller reads and writes the exchange. */
export class Inspector {
  #classifier!: Classifier;
  #classes: readonly Pick<Finding, 'class' | 'label' | 'category'>[] = [];
  #tokens: Deidentifier | undefined;
  #indifferent = new WeakMap<InspectionResolver, boolean>();

  constructor(classifier: Classifier) {
    this.setClassifier(classifier);
  }

  /** Calls that begin from now on are looked at with this one. */
  setClassifier(classifier: Classifier): void {
    this.#classifier = classifier;
    this.#indifferent = new WeakMap();
    const classes = new Map(
      classifier.detectors.map(({ class: name, label, category }) => [
        `${name} ${label} ${category}`,
        { class: name, label, category },
      ]),
    );
    this.#classes = [...classes.values()];
  }

  /** Makes the tokens of rules that ask for them; without it what they name is masked for good. */
  setTokens(tokens: Deidentifier | undefined): void {
    this.#tokens = tokens;
  }

  /** True when the rules allow every class there is: looking would change nothing and tell nobody anything. */
  #isIndifferent(resolve: InspectionResolver): boolean {
    let known = this.#indifferent.get(resolve);
    if (known === undefined) {
      known = this.#classes.every(
        ({ class: name, label, category }) =>
          resolve(name, label, { category, count: COUNT_HIGHEST }).action === 'allow' &&
          resolve(name, label, { category }).action === 'allow',
      );
      this.#indifferent.set(resolve, known);
    }
    return known;
  }

  inspect(
    bytes: Buffer,
    contentType: string,
    direction: Direction,
    resolve: InspectionResolver,
    passed: Passed = NOT_PASSED,
  ): Inspected {
    if (bytes.length === 0) return { bytes, ...CLEAN };
    if (this.#isIndifferent(resolve)) return { bytes, ...CLEAN, found: undefined };
    const found = this.#classifier.scan(bytes, contentType === '' ? {} : { contentType });
    if (found.length === 0) return { bytes, ...CLEAN };
    const counts = new Map<string, { count: number; action: MotionAction; rule: string }>();
    const cut: Finding[] = [];
    const tokenised = new Set<Finding>();
    const blocked = new Map<string, Blocked>();
    const howMany = countByClass(found);
    for (const finding of found) {
      const { category, label } = finding;
      const verdict = resolve(finding.class, label, { category, count: howMany.get(finding.class) ?? 1 });
      const { rule } = verdict;
      const action = inMotion(verdict.action, rule.id, passed);
      // One class may hold labels of its own, with a rule for each.
      const key = `${action} ${finding.class}`;
      counts.set(key, { count: (counts.get(key)?.count ?? 0) + 1, action, rule: rule.id });
      if (action === 'redact' || action === 'tokenise') cut.push(finding);
      if (action === 'tokenise') tokenised.add(finding);
      if (action === 'block' || action === 'justify' || action === 'quarantine')
        blocked.set(`${finding.class} ${action}`, { class: finding.class, rule: rule.name, ruleId: rule.id, action });
    }
    const findings = [...counts].map(([key, { rule, ...counted }]) => ({
      class: key.slice(counted.action.length + 1),
      direction,
      ...counted,
      ...(TELLING.has(counted.action) && { rule }),
    }));
    return {
      bytes: cut.length > 0 && blocked.size === 0 ? splice(bytes, cut, tokenised, this.#tokens) : bytes,
      findings,
      blocked: [...blocked.values()],
      found:
        blocked.size > 0
          ? []
          : cut.length === 0 || direction === 'response'
            ? found
            : found.filter((one) => !cut.includes(one)),
    };
  }
}

function countByClass(found: readonly Finding[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { class: name } of found) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/** A rule that asks for a person and has its answer lets through, noted. */
function inMotion(action: InspectionAction, ruleId: string, passed: Passed): MotionAction {
  if (!isMotionAction(action)) return 'log'; // no rule of this kind fits a call
  if ((action === 'justify' || action === 'quarantine') && passed(action, ruleId)) return 'log';
  return action;
}

function splice(
  bytes: Buffer,
  findings: readonly Finding[],
  tokenised: ReadonlySet<Finding>,
  tokens: Deidentifier | undefined,
): Buffer {
  const { bytes: cleaned } = redact(bytes, findings, {
    mode: 'mask',
    replacement: (finding, value) => {
      if (tokens && tokenised.has(finding)) return tokens.value(value, finding.category, { mode: 'token' });
      return REPLACED.test(finding.class) ? `[${finding.class} removed]` : undefined;
    },
  });
  return Buffer.from(cleaned.buffer, cleaned.byteOffset, cleaned.byteLength);
}
