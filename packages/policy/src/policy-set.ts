import {
  preparsePolicySet,
  type Policy,
  statefulIsAuthorized,
  type StatefulAuthorizationCall,
} from '@cedar-policy/cedar-wasm/nodejs';
import { PolicyTextInvalid } from './errors.ts';

/** Cedar keeps preparsed sets by name for the life of the thread, so names of closed sets are used again. */
const freeNames: string[] = [];
let namesTaken = 0;

/** A set of statements parsed once and evaluated many times. */
export interface PolicySet {
  /**
   * Ids of the statements that held (the permits of an allow, the forbids of a deny) and of those that failed; null
   * when Cedar refuses the request itself, such as an address it can't read.
   */
  evaluate(call: Omit<StatefulAuthorizationCall, 'preparsedPolicySetId'>): Evaluation | null;
  close(): void;
}

export interface Evaluation {
  readonly allowed: boolean;
  readonly reasons: readonly string[];
  readonly failed: readonly string[];
}

export function createPolicySet(statements: Readonly<Record<string, Policy>>): PolicySet {
  const name = freeNames.pop() ?? `cordon-${(namesTaken += 1)}`;
  const parsed = preparsePolicySet(name, { staticPolicies: { ...statements } });
  if (parsed.type === 'failure') {
    freeNames.push(name);
    throw new PolicyTextInvalid(`policies can't be used together: ${parsed.errors.map((e) => e.message).join('; ')}`);
  }
  let open = true;
  return {
    evaluate(call) {
      if (!open) throw new Error('policy set is closed');
      const answer = statefulIsAuthorized({ ...call, preparsedPolicySetId: name });
      if (answer.type === 'failure') return null;
      const { decision, diagnostics } = answer.response;
      return {
        allowed: decision === 'allow',
        reasons: diagnostics.reason,
        failed: diagnostics.errors.map(({ policyId }) => policyId),
      };
    },
    close() {
      if (!open) return;
      open = false;
      preparsePolicySet(name, { staticPolicies: {} });
      freeNames.push(name);
    },
  };
}
