import { type Actor, appendAudit, authorize, describeActor } from '@cordon/kernel';
import { type PolicyProblem, PolicyTextInvalid } from '@cordon/policy';
import { tablesOf } from '../context.ts';
import { SignInPolicyChanged, SignInPolicyLocksOut } from '../errors.ts';
import { entityManagementEvent } from '../events.ts';
import { loadSignInContent, loadSignInTemplates, type SignInTemplate } from './sign-in-content.ts';
import { checkSignInPolicy, createSignInDecider, type SignInPolicySet } from './sign-in-decision.ts';
import { type DryRun, runDry } from './sign-in-dry-run.ts';
import type { GateContext } from './sign-in-gate.ts';
import {
  insertVersion,
  lastOfOwners,
  listRecords,
  listVersions,
  loadVersion,
  newestVersion,
  type SignInPolicyVersion,
  type SignInRecord,
} from './sign-in-policy-store.ts';

const DAY_MS = 86_400_000;
export const DRY_RUN_DAYS_MAX = 90;

export interface SignInPolicies {
  current(actor: Actor): Promise<SignInPolicyVersion>;
  /** Newest first; the last is what held before anybody wrote a policy. */
  history(actor: Actor): Promise<SignInPolicyVersion[]>;
  templates(actor: Actor): Promise<readonly SignInTemplate[]>;
  check(actor: Actor, text: string): Promise<readonly PolicyProblem[]>;
  /** What it would have done to the sign-ins of the last `days`. */
  dryRun(actor: Actor, set: SignInPolicySet, days: number): Promise<DryRun>;
  /**
   * Puts a set in force for every sign-in from now on.
   *
   * @throws {SignInPolicyChanged} when `basedOn` isn't the newest version
   * @throws {SignInPolicyLocksOut} when no owner, or not the one who publishes, could sign in again
   */
  publish(
    actor: Actor,
    input: { readonly set: SignInPolicySet; readonly note: string; readonly basedOn: number },
  ): Promise<SignInPolicyVersion>;
  /** What was decided, newest first. */
  records(
    actor: Actor,
    query: {
      readonly before?: string | undefined;
      readonly outcome?: SignInRecord['outcome'] | undefined;
      readonly personId?: string | undefined;
      readonly id?: string | undefined;
      readonly limit: number;
    },
  ): Promise<SignInRecord[]>;
}

export function createSignInPolicies(context: GateContext): SignInPolicies {
  const { db, clock } = context;

  const load = async (): Promise<SignInPolicyVersion> => loadVersion(tablesOf(db), await newestVersion(tablesOf(db)));

  const checkTexts = async (set: SignInPolicySet): Promise<void> => {
    const content = await loadSignInContent();
    for (const { name, text } of set.policies) {
      const problems = checkSignInPolicy(text, content).filter(({ severity }) => severity === 'error');
      if (problems.length > 0) throw new PolicyTextInvalid(`The policy "${name}" is not valid.`, { problems });
    }
  };

  /** Tried on how the owners signed in last: whoever changes the rules must be able to change them back. */
  const checkWayIn = async (actor: Actor, set: SignInPolicySet): Promise<void> => {
    const decider = createSignInDecider(set, await loadSignInContent());
    try {
      const owners = await lastOfOwners(tablesOf(db));
      const refused = owners.filter((record) => decider.decide({ ...record, at: clock.now() }).outcome === 'refuse');
      const self = describeActor(actor).id;
      const own = refused.find(({ personId }) => personId === self);
      if (own === undefined && (owners.length === 0 || refused.length < owners.length)) return;
      const first = own ?? refused[0];
      const by =
        first &&
        decider.decide({ ...first, at: clock.now() }).reasons.map(({ policy, statement }) => statement ?? policy);
      throw new SignInPolicyLocksOut(
        own
          ? `You could not sign in again the way you did last: ${by?.join(', ') || 'nothing would permit it'}.`
          : 'No owner could sign in again the way they did last.',
        { people: refused.map(({ personName }) => personName) },
      );
    } finally {
      decider.close();
    }
  };

  return {
    async current(actor) {
      authorize(actor, 'sso.read');
      return load();
    },
    async history(actor) {
      authorize(actor, 'sso.read');
      return listVersions(tablesOf(db));
    },
    async templates(actor) {
      authorize(actor, 'sso.read');
      return loadSignInTemplates();
    },
    async check(actor, text) {
      authorize(actor, 'sso.read');
      return checkSignInPolicy(text, await loadSignInContent());
    },
    async dryRun(actor, proposed, days) {
      authorize(actor, 'sso.read');
      await checkTexts(proposed);
      const { set: current } = await load();
      const since = clock.now() - Math.min(days, DRY_RUN_DAYS_MAX) * DAY_MS;
      return runDry(tablesOf(db), await loadSignInContent(), { current, proposed, since });
    },
    async publish(actor, { set, note, basedOn }) {
      authorize(actor, 'sso.write');
      await checkTexts(set);
      await checkWayIn(actor, set);
      const made: SignInPolicyVersion = {
        version: basedOn + 1,
        set,
        note,
        madeBy: describeActor(actor).name,
        madeAt: clock.now(),
      };
      await db.transaction(async (tx) => {
        const isNewest = (await newestVersion(tablesOf(tx))) === basedOn;
        if (!isNewest || !(await insertVersion(tablesOf(tx), made))) {
          throw new SignInPolicyChanged('Somebody else changed the policies meanwhile. Look at theirs first.');
        }
        await appendAudit(tx, {
          actor,
          action: 'sign_in_policy.changed',
          target: { type: 'sign-in-policy', id: String(made.version) },
          detail: {
            note,
            base: set.base,
            policies: set.policies.map(({ name, mode }) => ({ name, mode })),
            networks: set.networks.map(({ name }) => name),
          },
          at: clock.now(),
        });
      });
      context.emit(
        entityManagementEvent('update', {
          at: clock.now(),
          outcome: 'success',
          severity: 'medium',
          actor,
          reason: note,
          entity: { type: 'sign-in-policy', id: String(made.version), name: 'Sign-in policy' },
        }),
      );
      return made;
    },
    async records(actor, query) {
      authorize(actor, 'sso.read');
      return listRecords(tablesOf(db), { since: 0, ...query });
    },
  };
}
