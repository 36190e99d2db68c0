import { covers, type OperationFacts, type RequirementEntry } from '@cordon/policy';

const CALLS_MAX = 50_000;
const LEVEL = { m0: 0, m1: 1, m2: 2 } as const;

/** All requirements of one call, taken together. */
export interface Requirement {
  readonly assurance: 'm0' | 'm1' | 'm2';
  readonly dpopNonce: boolean;
  readonly approvals: readonly NonNullable<RequirementEntry['approval']>[];
  readonly names: readonly string[];
}

const NONE: Requirement = { assurance: 'm0', dpopNonce: false, approvals: [], names: [] };

/** Finds what a call needs beyond its grant; remembered by integration, app and operation. */
export class Requirements {
  readonly #entries: readonly RequirementEntry[];
  readonly #byCall = new Map<string, Requirement>();

  constructor(entries: readonly RequirementEntry[]) {
    this.#entries = entries;
  }

  for(integrationId: string, appId: string, operation: OperationFacts): Requirement {
    if (this.#entries.length === 0) return NONE;
    const key = `${integrationId} ${appId} ${operation.id}`;
    let found = this.#byCall.get(key);
    if (!found) {
      if (this.#byCall.size >= CALLS_MAX) this.#byCall.clear();
      this.#byCall.set(key, (found = this.#combine(integrationId, appId, operation)));
    }
    return found;
  }

  #combine(integrationId: string, appId: string, operation: OperationFacts): Requirement {
    const fitting = this.#entries.filter(
      (entry) =>
        (entry.appId === null || entry.appId === appId) &&
        (entry.integrationId === null || entry.integrationId === integrationId) &&
        (entry.select.length === 0 || entry.select.some((selector) => covers(selector, operation))),
    );
    if (fitting.length === 0) return NONE;
    return {
      assurance: fitting.reduce<Requirement['assurance']>(
        (most, { assurance }) => (LEVEL[assurance] > LEVEL[most] ? assurance : most),
        'm0',
      ),
      dpopNonce: fitting.some(({ dpopNonce }) => dpopNonce),
      approvals: fitting.flatMap(({ approval }) => approval ?? []),
      names: fitting.map(({ name }) => name),
    };
  }
}
