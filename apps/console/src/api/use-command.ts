import { type QueryKey, useMutation, type UseMutationResult, useQueryClient } from '@tanstack/react-query';
import { useNotify } from '../shell/notifications.ts';

/**
 * A change of state: runs it, says so in the flashbar, and loads again what it changed. The error stays with the
 * command, for the form that sent it to show.
 */
export function useCommand<Input, Output>(options: {
  readonly run: (input: Input) => Promise<Output>;
  readonly done?: string | ((output: Output, input: Input) => string);
  readonly changes?: readonly QueryKey[];
  readonly onDone?: (output: Output, input: Input) => void;
}): UseMutationResult<Output, Error, Input> {
  const client = useQueryClient();
  const notify = useNotify();
  return useMutation<Output, Error, Input>({
    mutationFn: options.run,
    onSuccess: async (output, input) => {
      const { done, changes = [] } = options;
      if (done !== undefined) notify({ type: 'success', text: typeof done === 'string' ? done : done(output, input) });
      options.onDone?.(output, input);
      await Promise.all(changes.map(async (queryKey) => client.invalidateQueries({ queryKey })));
    },
  });
}
