import { queryOptions, useQuery } from '@tanstack/react-query';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { queryClient } from '../api/query-client.ts';
import type { Session } from '../api/wire.ts';

/** Who is signed in. Every other page depends on it. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async (): Promise<Session> => taken(await api.GET('/api/v1/session')),
  staleTime: 60_000,
});

export function useSession(): Session | undefined {
  return useQuery(sessionQuery).data;
}

/** Whether a role of the person holds this permission; the server decides again on every request. */
export function useCan(): (permission: string) => boolean {
  const permissions = useSession()?.actor?.permissions ?? [];
  return (permission) => permissions.includes(permission);
}

/** After signing in or out: what was loaded for somebody else is gone, and the session is asked for again. */
export async function reloadSession(): Promise<Session> {
  queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
  return queryClient.fetchQuery({ ...sessionQuery, staleTime: 0 });
}
