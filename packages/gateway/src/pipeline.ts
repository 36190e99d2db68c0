import type { Exchange, ListenerPlan } from './exchange.ts';
import { serveMcp } from './mcp/serve-mcp.ts';
import { acceptRequest } from './steps/accept-request.ts';
import { assignCredential } from './steps/assign-credential.ts';
import { assignLinks } from './steps/assign-links.ts';
import { checkAnswer } from './steps/check-answer.ts';
import { checkGrant } from './steps/check-grant.ts';
import { checkInjection } from './steps/check-injection.ts';
import { checkLimits } from './steps/check-limits.ts';
import { checkRequest } from './steps/check-request.ts';
import { checkRequirements, useApproval } from './steps/check-requirements.ts';
import { checkResponse } from './steps/check-response.ts';
import { inspectRequest } from './steps/inspect-request.ts';
import { inspectResponse } from './steps/inspect-response.ts';
import { loadIdentity } from './steps/load-identity.ts';
import { loadOperation } from './steps/load-operation.ts';
import { loadRequestBody } from './steps/load-request-body.ts';
import { loadResponse } from './steps/load-response.ts';
import { respondRecorded } from './steps/respond-recorded.ts';

/** A step reads and adds to the exchange; it refuses the call by throwing a `Refusal`. */
type Step = (exchange: Exchange) => void | Promise<void>;

export interface NamedStep {
  readonly name: string;
  readonly run: Step;
}

/** Which listener runs which steps, in which order. */
export const pipelines: Readonly<Record<ListenerPlan['kind'], readonly NamedStep[]>> = {
  api: [
    { name: 'accept', run: acceptRequest },
    { name: 'identify', run: loadIdentity },
    { name: 'mcp', run: serveMcp },
    { name: 'resolve operation', run: loadOperation },
    { name: 'authorize', run: checkGrant },
    { name: 'limit', run: checkLimits },
    { name: 'receive', run: loadRequestBody },
    { name: 'validate request', run: checkRequest },
    { name: 'check injection', run: checkInjection },
    { name: 'check requirements', run: checkRequirements },
    { name: 'inspect request', run: inspectRequest },
    { name: 'use approval', run: useApproval },
    { name: 'attach credential', run: assignCredential },
    { name: 'forward', run: loadResponse },
    { name: 'validate response', run: checkResponse },
    { name: 'check answer', run: checkAnswer },
    { name: 'inspect response', run: inspectResponse },
    { name: 'rewrite', run: assignLinks },
    { name: 'record', run: respondRecorded },
  ],
};

/** Called with each step's name and synchronous time, for benchmarks. */
export type StepObserver = (name: string, nanoseconds: bigint) => void;

/**
 * Runs the steps from `index` on. Steps that have nothing to wait for run in one go, without a promise: most calls
 * wait only for their body and for the upstream.
 */
export function runSteps(exchange: Exchange, steps: readonly NamedStep[], index = 0): Promise<void> | undefined {
  for (let at = index; at < steps.length && !exchange.finished; at++) {
    const waiting = steps[at]!.run(exchange);
    if (waiting !== undefined) return waiting.then(() => runSteps(exchange, steps, at + 1));
  }
  return undefined;
}

/** As `runSteps`, and tells how long each step worked (not waited). */
export function observeSteps(steps: readonly NamedStep[], observe: StepObserver): readonly NamedStep[] {
  return steps.map(({ name, run }) => ({
    name,
    run: (exchange) => {
      const start = process.hrtime.bigint();
      try {
        return run(exchange);
      } finally {
        observe(name, process.hrtime.bigint() - start);
      }
    },
  }));
}
