import { hash } from 'node:crypto';
import { checkJson } from '@cordon/openapi';
import {
  type ApprovedCall,
  argumentPointer,
  CALL_DETAIL_TYPE,
  type OperationFacts,
  unknownOperation,
} from '@cordon/policy';
import { ACR, assuranceRefusal, nonceRefusal, stepUpChallenge } from '../challenges.ts';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { operationFacts } from '../operation-facts.ts';
import type { ResolvedOperation } from '../operations.ts';
import type { Requirement } from '../requirements.ts';

const LEVEL = { m0: 0, m1: 1, m2: 2 } as const;
const EMPTY = Buffer.alloc(0);

function factsOf(exchange: Exchange, operation: ResolvedOperation): OperationFacts {
  // A tool or a GraphQL field is no HTTP operation, and is known by its own facts.
  const own = exchange.app.entry.mcp || exchange.isGraphql;
  const facts = own ? operationFacts(exchange.runtime, exchange.app.entry.id, operation.id) : undefined;
  return facts ?? operation.described?.operation ?? unknownOperation(exchange.method);
}

/** What the call as it came needs to have approved: what an integration puts into `authorization_details`. */
function describeCall(exchange: Exchange, approvals: Requirement['approvals']): Record<string, unknown> {
  const { operation, app, method } = exchange;
  const whole = approvals.some(({ bind }) => bind === 'body');
  const named = approvals.flatMap(({ arguments: pointers }) => pointers);
  // Nobody can read a hash: beside it go the values, which are checked as well, for the person who decides.
  const names = whole ? [...new Set([...named, ...leavesOf(readJson(exchange.requestBody))])] : named;
  return {
    type: CALL_DETAIL_TYPE,
    app: app.entry.name,
    operation: operation!.id, // the operation step refused the call otherwise
    method,
    path: exchange.path,
    ...(whole ? { body_sha256: bodyHash(exchange) } : {}),
    ...(names.length > 0 ? { arguments: argumentsOf(exchange, names) } : {}),
  };
}

const LEAVES_MAX = 20;
const LEAF_CHARS_MAX = 500;
const LEAF_DEPTH_MAX = 4;

/** Pointers to the plain values in a body, the first ones of them. */
function leavesOf(value: unknown, base = '', found: string[] = []): string[] {
  if (typeof value !== 'object' || value === null || base.split('/').length > LEAF_DEPTH_MAX) return found;
  for (const [name, part] of Object.entries(value)) {
    if (found.length >= LEAVES_MAX) break;
    const pointer = `${base}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (typeof part === 'object' && part !== null) leavesOf(part, pointer, found);
    else if (String(part).length <= LEAF_CHARS_MAX && argumentPointer.safeParse(pointer).success) found.push(pointer);
  }
  return found;
}

function bodyHash(exchange: Exchange): string {
  return hash('sha256', exchange.requestBody ?? EMPTY, 'hex');
}

function readJson(body: Buffer | undefined): unknown {
  if (!body) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** RFC 6901, own members only. */
function atPointer(value: unknown, pointer: string): unknown {
  let at = value;
  for (const part of pointer.slice(1).split('/')) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined;
    at = Reflect.get(at, name);
  }
  return at;
}

function argumentsOf(exchange: Exchange, pointers: readonly string[]): Record<string, unknown> {
  const body = readJson(exchange.requestBody);
  return Object.fromEntries(pointers.map((pointer) => [pointer, atPointer(body, pointer) ?? null]));
}

function approvalNeeded(exchange: Exchange, requirement: Requirement): Refusal {
  const description = 'A second person must approve this call.';
  const { issuer } = exchange.runtime.config;
  return new Refusal(
    'gateway.approval_required',
    `${description} Ask at the backchannel authentication endpoint with these authorization_details, then call again with the token that you get.`,
    {
      detail: {
        requirements: requirement.names,
        authorization_details: [describeCall(exchange, requirement.approvals)],
        ...(issuer === undefined ? {} : { backchannel_authentication_endpoint: `${issuer}/oauth/bc-authorize` }),
        help: 'docs/guide/approvals.md',
      },
      headers: stepUpChallenge(exchange, description, ACR.approved),
    },
  );
}

/**
 * Whether a person who was shown members of a body was shown what the upstream reads: with a key twice, one parser takes
 * the first value and another the last, and a form isn't read here at all.
 */
function readsOneWay(body: Buffer | undefined): boolean {
  return body === undefined || body.length === 0 || checkJson(body) === null;
}

/** The first thing in which the call differs from the one that was approved; undefined: it is that one. */
function difference(exchange: Exchange, call: ApprovedCall): string | undefined {
  if (call.app !== exchange.app.entry.name) return 'app';
  if (call.operation !== exchange.operation!.id) return 'operation'; // as above
  if (call.method !== exchange.method) return 'method';
  if (call.path !== exchange.path) return 'path';
  if (call.body_sha256 !== undefined && call.body_sha256 !== bodyHash(exchange)) return 'body';
  if (call.arguments === undefined) return undefined;
  if (!readsOneWay(exchange.requestBody)) return 'body (it is no JSON that every parser reads alike)';
  const body = readJson(exchange.requestBody);
  for (const [pointer, value] of Object.entries(call.arguments)) {
    const sent = atPointer(body, pointer);
    if (sent !== value && !(value === null && sent === undefined)) return `argument ${pointer}`;
  }
  return undefined;
}

/** Whether the approval says as much of the call as the requirements want to have said. */
function covered(call: ApprovedCall, { approvals }: Requirement): boolean {
  return approvals.every(
    ({ bind, arguments: pointers, countMax }) =>
      call.count <= countMax &&
      (bind !== 'body' || call.body_sha256 !== undefined) &&
      (call.body_sha256 !== undefined || pointers.every((pointer) => Object.hasOwn(call.arguments ?? {}, pointer))),
  );
}

function checkApproval(exchange: Exchange, requirement: Requirement): void {
  const { approval } = exchange.caller.token;
  if (!approval) {
    if (requirement.approvals.length > 0) throw approvalNeeded(exchange, requirement);
    return;
  }
  if (exchange.requestStream) {
    // What is passed through unheld can't be compared with what was approved.
    throw new Refusal('gateway.approval_mismatch', 'An approved call has a text body (JSON, form, XML) or none.');
  }
  const differs = difference(exchange, approval.call);
  if (differs !== undefined) {
    throw new Refusal(
      'gateway.approval_mismatch',
      `This token is good for one approved call, and this call is another: its ${differs} differs. Ask for approval of what you send.`,
      {
        detail: { differs, approval: approval.id, approved: approval.call },
        headers: [['WWW-Authenticate', 'Bearer realm="cordon", error="insufficient_scope"']],
      },
    );
  }
  if (!covered(approval.call, requirement)) throw approvalNeeded(exchange, requirement);
}

/** What sensitive calls need beyond a grant: a stronger proof, a nonce, the approval of a second person. */
export function checkRequirements(exchange: Exchange): void {
  const { caller, app, operation } = exchange;
  const { token } = caller;
  const tables = exchange.tables!; // the accept step refused the call otherwise
  for (const one of [operation!, ...exchange.furtherOperations]) {
    const requirement = tables.requirements.for(caller.integration.id, app.entry.id, factsOf(exchange, one));
    const { assurance } = requirement;
    if (assurance !== 'm0' && LEVEL[token.assurance] < LEVEL[assurance]) {
      throw assuranceRefusal(exchange, assurance, requirement.names);
    }
    if (requirement.dpopNonce && token.cnf?.jkt) {
      if (exchange.proof?.nonce === undefined) throw nonceRefusal(exchange);
      const nonce = exchange.runtime.nonces.current(exchange.startedAt);
      // RFC 9449, section 8.2: the next one, before this one is too old.
      if (exchange.proof.nonce !== nonce) exchange.limitHeaders.push('DPoP-Nonce', nonce);
    }
    if (one !== operation && requirement.approvals.length > 0) {
      throw new Refusal('gateway.approval_mismatch', 'A call that needs approval is sent by itself, not among others.');
    }
    if (one === operation) checkApproval(exchange, requirement);
  }
}

/** Takes the approval's use, at control: of all gateways together, one call gets each. */
export function useApproval(exchange: Exchange): void | Promise<void> {
  const { token, tokenHash } = exchange.caller;
  if (!token.approval) return undefined;
  return exchange.runtime.approvals.consume(tokenHash, exchange.id).then(
    (taken) => {
      if (taken) return;
      throw new Refusal('gateway.approval_used', 'This approval was used already, or withdrawn. Ask for a new one.', {
        detail: { approval: token.approval?.id },
        headers: [['WWW-Authenticate', 'Bearer realm="cordon", error="invalid_token", error_description="used"']],
      });
    },
    (error: unknown) => {
      throw new Refusal(
        'gateway.approval_unavailable',
        'Control can not be asked whether this approval is still unused, so the call is not made. If control took the use before its answer was lost, a new approval is needed.',
        { headers: [['Retry-After', '2']], cause: error },
      );
    },
  );
}
