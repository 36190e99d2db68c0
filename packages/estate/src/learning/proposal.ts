import { createHash } from 'node:crypto';
import { createLearner, type LearnedField, type LearnedOperation, type Operations } from '@cordon/openapi';
import type { LearnedTraffic } from './learning-store.ts';

/** How a learned thing stands to the description in force. */
export type Standing = 'new' | 'known' | 'differs';

export interface ProposedField extends LearnedField {
  readonly standing: Standing;
}

export interface ProposedOperation extends Omit<LearnedOperation, 'fields'> {
  readonly standing: Standing;
  /** The described operation that such calls are today; null: none. */
  readonly describedAs: string | null;
  readonly fields: readonly ProposedField[];
}

export interface LearningProposal {
  readonly calls: number;
  /** Calls that were seen and not learned from, because what is known had grown too large. */
  readonly dropped: number;
  readonly teachers: readonly {
    readonly id: string;
    readonly name: string;
    readonly calls: number;
    readonly firstAt: number;
    readonly lastAt: number;
    readonly isLeftOut: boolean;
  }[];
  readonly operations: readonly ProposedOperation[];
  /** Described operations that no learned call was. */
  readonly unseen: readonly string[];
  /** Names exactly this proposal: what is accepted is what somebody looked at. */
  readonly digest: string;
  /** OpenAPI 3.1. */
  readonly description: Record<string, unknown>;
}

export interface ProposalOptions {
  readonly title: string;
  readonly upstream: string;
  /** Integrations whose calls don't count. */
  readonly without: readonly string[];
  /** Bodies of requests may hold only members that were seen. */
  readonly closed: boolean;
}

/** What the traffic of an app's integrations comes to, beside the description in force. */
export function makeProposal(
  traffic: readonly LearnedTraffic[],
  current: Operations | null,
  { title, upstream, without, closed }: ProposalOptions,
): LearningProposal {
  const learner = createLearner();
  for (const { integrationId, state } of traffic)
    if (!without.includes(integrationId)) learner.absorb(state, integrationId);
  const { description, evidence, calls } = learner.propose({ title, server: upstream, closed });
  const operations = evidence.map((operation) => compare(operation, current));
  const seen = new Set(operations.map(({ describedAs }) => describedAs));
  return {
    calls,
    dropped: traffic.reduce((sum, { dropped }) => sum + dropped, 0),
    teachers: traffic.map(({ integrationId, integrationName, calls: made, firstAt, lastAt }) => ({
      id: integrationId,
      name: integrationName,
      calls: made,
      firstAt,
      lastAt,
      isLeftOut: without.includes(integrationId),
    })),
    operations,
    unseen: (current?.list ?? []).flatMap(({ id }) => (seen.has(id) ? [] : [id])),
    // Counts grow with every call; only what the description would allow makes it another one.
    digest: createHash('sha256').update(canonical(description['paths'])).digest('hex'),
    description,
  };
}

function compare(operation: LearnedOperation, current: Operations | null): ProposedOperation {
  const example = operation.path.replaceAll(/\{[^}]*\}/g, 'x');
  const found = current?.resolve(operation.method, example);
  if (!current || found?.kind !== 'operation') {
    const fields = operation.fields.map((field) => ({ ...field, standing: 'new' as const }));
    return { ...operation, standing: 'new', describedAs: null, fields };
  }
  const { read, write } = current.fields(found.operation);
  const known = {
    request: new Map(write.map((field) => [field.path, field.type])),
    response: new Map(read.map((field) => [field.path, field.type])),
  };
  const fields = operation.fields.map((field) => ({
    ...field,
    standing: field.in === 'query' ? queryStanding(field, current, found.operation) : standing(field, known[field.in]),
  }));
  const differs = fields.some((field) => field.standing !== 'known');
  return { ...operation, standing: differs ? 'differs' : 'known', describedAs: found.operation.id, fields };
}

function standing(field: LearnedField, known: ReadonlyMap<string, string | null>): Standing {
  const types = field.types.filter((type) => type !== 'null').map((type) => (type === 'integer' ? 'number' : type));
  // A description lists scalars by name: objects, lists, what was only null and members of maps are none of them.
  const isScalar = types.length > 0 && !types.includes('object') && !types.includes('array');
  if (known.size === 0 || !isScalar || field.path.split('.').includes('*')) return 'known';
  const described = known.get(field.path);
  if (described === undefined) return 'new';
  // Of several types the description's list names the first.
  return described === null || types.includes(described) ? 'known' : 'differs';
}

function queryStanding(
  field: LearnedField,
  current: Operations,
  operation: Parameters<Operations['schemaAt']>[0],
): Standing {
  return current.schemaAt(operation, 'query', [field.path], null) === undefined ? 'new' : 'known';
}

/** JSON with sorted names, so that the order in which calls came makes no difference. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
