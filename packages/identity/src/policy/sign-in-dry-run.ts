import { setImmediate } from 'node:timers/promises';
import type { IdentityDb } from '../context.ts';
import type { SignInContent, SignInDecider, SignInPolicySet, SignInReason, SignInVerdict } from './sign-in-decision.ts';
import { createSignInDecider } from './sign-in-decision.ts';
import { hourOf, weekdayOf } from './sign-in-facts.ts';
import { lastOfOwners, listRecords, type SignInRecord } from './sign-in-policy-store.ts';

const RECORDS_MAX = 20_000;
const PAGE = 1_000;
const PEOPLE_MAX = 200;
/** Decisions take a fifth of a millisecond each; others get a turn in between. */
const TURN = 100;

type Counts = Record<SignInVerdict['outcome'], number>;

/** What a change would have done to somebody. */
export interface DryRunPerson {
  readonly personId: string;
  readonly personName: string;
  readonly refuse: number;
  readonly stronger: number;
  readonly allow: number;
  /** The newest sign-in that would have come out otherwise. */
  readonly last: {
    readonly at: number;
    readonly service: string;
    readonly address: string;
    readonly country: string;
    readonly before: SignInVerdict['outcome'];
    readonly after: SignInVerdict['outcome'];
    readonly reasons: readonly SignInReason[];
  };
}

export interface DryRun {
  readonly since: number;
  readonly examined: number;
  /** There were more sign-ins than are read. */
  readonly truncated: boolean;
  /** Sign-ins of which not every fact was recorded; the unknown was taken as what speaks against the person. */
  readonly incomplete: number;
  readonly now: Counts;
  readonly proposed: Counts;
  /** People whom it would have treated otherwise, the most refusals first. */
  readonly people: readonly DryRunPerson[];
  readonly owners: { readonly total: number; readonly letIn: number };
}

function createMemo(decider: SignInDecider) {
  const known = new Map<string, SignInVerdict>();
  return (record: SignInRecord): SignInVerdict => {
    const { agent: _agent, missing: _missing, ...facts } = record.facts;
    const key = JSON.stringify([record.personId, record.service.id, facts, hourOf(record.at), weekdayOf(record.at)]);
    const found = known.get(key) ?? decider.decide(record);
    known.set(key, found);
    return found;
  };
}

function noteChange(
  people: Map<string, DryRunPerson>,
  record: SignInRecord,
  before: SignInVerdict,
  after: SignInVerdict,
): void {
  const known = people.get(record.personId);
  const { personId, personName, service, at, facts } = record;
  const count = { refuse: 0, stronger: 0, allow: 0, ...known };
  count[after.outcome] += 1;
  people.set(personId, {
    ...count,
    personId,
    personName,
    // Records come newest first.
    last: known?.last ?? {
      at,
      service: service.name,
      address: facts.address,
      country: facts.country,
      before: before.outcome,
      after: after.outcome,
      reasons: after.reasons,
    },
  });
}

/** Tries a set of policies on the sign-ins since `since`, beside the set that is in force, from the facts of then. */
export async function runDry(
  db: IdentityDb,
  content: SignInContent,
  input: { readonly current: SignInPolicySet; readonly proposed: SignInPolicySet; readonly since: number },
): Promise<DryRun> {
  const current = createSignInDecider(input.current, content);
  let proposed: SignInDecider | null = null;
  try {
    proposed = createSignInDecider(input.proposed, content);
    const [decideNow, decideThen] = [createMemo(current), createMemo(proposed)];
    const counts = { now: { allow: 0, stronger: 0, refuse: 0 }, proposed: { allow: 0, stronger: 0, refuse: 0 } };
    const people = new Map<string, DryRunPerson>();
    let [examined, incomplete] = [0, 0];
    let before: string | undefined;
    for (;;) {
      const page = await listRecords(db, { since: input.since, before, limit: PAGE });
      for (const record of page) {
        if (record.exempt) continue;
        examined += 1;
        if (record.facts.missing.length > 0) incomplete += 1;
        const [was, is] = [decideNow(record), decideThen(record)];
        counts.now[was.outcome] += 1;
        counts.proposed[is.outcome] += 1;
        if (was.outcome !== is.outcome) noteChange(people, record, was, is);
        if (examined % TURN === 0) await setImmediate();
      }
      before = page.at(-1)?.id;
      if (page.length < PAGE || examined >= RECORDS_MAX) break;
    }
    const owners = await lastOfOwners(db);
    const letIn = owners.filter((record) => decideThen(record).outcome !== 'refuse').length;
    return {
      since: input.since,
      examined,
      truncated: examined >= RECORDS_MAX,
      incomplete,
      ...counts,
      people: [...people.values()]
        .sort((a, b) => b.refuse - a.refuse || b.stronger - a.stronger || b.last.at - a.last.at)
        .slice(0, PEOPLE_MAX),
      owners: { total: owners.length, letIn },
    };
  } finally {
    current.close();
    proposed?.close();
  }
}
