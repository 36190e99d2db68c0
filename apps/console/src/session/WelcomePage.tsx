import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { showTime } from '../display/time.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { EntrancePage } from './EntrancePage.tsx';
import { reloadSession } from './session-query.ts';

/** The token travels in the fragment, which no server and no log ever sees. */
function readToken(): string {
  return new URLSearchParams(window.location.hash.slice(1)).get('token') ?? '';
}

export function WelcomePage() {
  const [token] = useState(readToken);
  const link = useQuery({
    queryKey: ['link'],
    queryFn: async () => taken(await api.POST('/api/v1/auth/link/inspect', { body: { token } })),
    enabled: token !== '',
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (token === '') {
    return (
      <EntrancePage title="A link is needed">
        <Box>Open the one-time link that `cordon up` printed, or that an owner sent you.</Box>
      </EntrancePage>
    );
  }
  if (link.isPending) {
    return (
      <EntrancePage title="Welcome">
        <StatusIndicator type="loading">Checking your link</StatusIndicator>
      </EntrancePage>
    );
  }
  if (link.error) {
    return (
      <EntrancePage title="This link can’t be used">
        <SpaceBetween size="m">
          <ProblemAlert error={link.error} />
          <Box>
            Links work once and end after a while. Start Cordon again for a new first-owner link, or ask an owner to
            send another.
          </Box>
          <Button href="/sign-in">Sign in instead</Button>
        </SpaceBetween>
      </EntrancePage>
    );
  }
  return <RedeemLink token={token} link={link.data} />;
}

interface LinkFacts {
  readonly kind: 'first-owner' | 'invite' | 'recover';
  readonly person: { readonly name: string; readonly email: string } | null;
  readonly expiresAt: string;
}

function RedeemLink({ token, link }: { readonly token: string; readonly link: LinkFacts }) {
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const isFirst = link.kind === 'first-owner';
  const redeem = useCommand({
    run: async () =>
      taken(await api.POST('/api/v1/auth/link', { body: { token, ...(isFirst ? { name, email } : {}) } })),
    onDone: () => void reloadSession().then(() => navigate({ href: '/enrol' })),
  });
  const title = isFirst
    ? 'Welcome. You are the first owner.'
    : link.kind === 'recover'
      ? `Welcome back, ${link.person?.name ?? ''}`
      : `Welcome, ${link.person?.name ?? ''}`;
  return (
    <EntrancePage title={title} description={`This link works once, until ${showTime(link.expiresAt)}.`}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          redeem.mutate();
        }}
      >
        <Form
          actions={
            <Button variant="primary" formAction="submit" loading={redeem.isPending}>
              Continue
            </Button>
          }
        >
          <SpaceBetween size="m">
            <ProblemAlert error={redeem.error} />
            {isFirst ? (
              <SpaceBetween size="m">
                <FormField label="Your name" errorText={fieldProblem(redeem.error, 'name')}>
                  <Input value={name} autoComplete="name" autoFocus onChange={(e) => setName(e.detail.value)} />
                </FormField>
                <FormField
                  label="E-mail address"
                  description="You sign in with it where a passkey can’t be used."
                  errorText={fieldProblem(redeem.error, 'email')}
                >
                  <Input value={email} type="email" autoComplete="email" onChange={(e) => setEmail(e.detail.value)} />
                </FormField>
              </SpaceBetween>
            ) : (
              <Box>
                You continue as <strong>{link.person?.email}</strong> and set up how you sign in.
              </Box>
            )}
          </SpaceBetween>
        </Form>
      </form>
    </EntrancePage>
  );
}
