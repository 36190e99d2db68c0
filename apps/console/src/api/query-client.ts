import { QueryClient } from '@tanstack/react-query';
import { asProblem } from './problem.ts';

const RETRIES_MAX = 2;

/** Refusals are final; only what never reached the server, or failed inside it, is tried again. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => {
        const { status } = asProblem(error);
        return (status === 0 || status >= 500) && failures < RETRIES_MAX;
      },
    },
  },
});
