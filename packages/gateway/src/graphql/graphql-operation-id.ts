import type { OperationFacts } from '@cordon/policy';

const PREFIX = 'graphql.';
const KINDS = { query: 'QUERY', mutation: 'MUTATION', subscription: 'SUBSCRIPTION' } as const;
export type GraphqlKind = keyof typeof KINDS;

/** `graphql.query.repository.issues` for the fields that lead from the root to what is selected. */
export function graphqlOperationId(kind: GraphqlKind, path: readonly string[]): string {
  return `${PREFIX}${kind}.${path.join('.')}`;
}

/**
 * What authorization needs of a GraphQL operation; undefined for an id that is none. The path lets grants take globs:
 * `QUERY /repository/**`, `MUTATION /createIssue/**`.
 */
export function graphqlFacts(id: string): OperationFacts | undefined {
  if (!id.startsWith(PREFIX)) return undefined;
  const [kind = '', ...path] = id.slice(PREFIX.length).split('.');
  if (!Object.hasOwn(KINDS, kind) || path.length === 0) return undefined;
  const known = kind as GraphqlKind; // hasOwn just proved it
  return {
    id,
    method: KINDS[known],
    path: `/${path.join('/')}`,
    tags: ['graphql', known],
    access: known === 'mutation' ? 'write' : 'read',
    deprecated: false,
  };
}
