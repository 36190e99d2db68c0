import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

/** Leads somebody to their company's provider by the domain of their address. */
export function CompanySignIn({ next }: { readonly next: string }) {
  const [email, setEmail] = useState('');
  const find = useCommand({
    run: async () => taken(await api.POST('/api/v1/auth/way', { body: { email } })),
    onDone: ({ provider }) => {
      if (!provider) return;
      const query = new URLSearchParams({ next, hint: email });
      window.location.assign(`/sso/up/start/${provider.id}?${query.toString()}`);
    },
  });
  const hint =
    find.data?.provider === null ? 'No provider is set up for this address. Use one of the ways below.' : undefined;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        find.mutate();
      }}
    >
      <SpaceBetween size="s">
        <ProblemAlert error={find.error} />
        <FormField
          label="Work address"
          description="If your company has a provider, you go on there."
          {...(hint === undefined ? {} : { warningText: hint })}
          secondaryControl={
            <Button formAction="submit" disabled={email === ''} loading={find.isPending}>
              Next
            </Button>
          }
        >
          <Input
            value={email}
            type="email"
            inputMode="email"
            autoComplete="email"
            onChange={({ detail }) => setEmail(detail.value)}
          />
        </FormField>
      </SpaceBetween>
    </form>
  );
}
