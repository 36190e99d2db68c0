import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { CompanySignIn } from './CompanySignIn.tsx';
import { EntrancePage } from './EntrancePage.tsx';
import { canUsePasskeys, signInWithPasskey } from './passkey.ts';
import { reloadSession } from './session-query.ts';

/** Only a path of this console may follow a sign-in, never another site. */
export function nextPath(next: string | undefined): string {
  return next !== undefined && /^\/(?![/\\])/.test(next) ? next : '/';
}

export function SignInPage({ next, link }: { readonly next: string | undefined; readonly link: string | undefined }) {
  const navigate = useNavigate();
  const tie = useCommand({
    run: async (name: string) => taken(await api.POST('/api/v1/auth/upstream/link', { body: { link: name } })),
    done: ({ provider }) => `From now on ${provider} signs you in, too.`,
  });
  const enterNow = async (): Promise<void> => {
    if (link !== undefined) await tie.mutateAsync(link).catch(() => undefined);
    const { session } = await reloadSession();
    const path = nextPath(next);
    // A sign-on to an app goes on at the server, not in the console.
    if (session?.stage === 'full' && path.startsWith('/sso/')) return window.location.assign(path);
    await navigate({ href: session?.stage === 'enrol' ? '/enrol' : path });
  };
  const enter = (): void => void enterNow();
  return (
    <EntrancePage title="Sign in">
      <SpaceBetween size="m">
        {link === undefined ? (
          <CompanySignIn next={nextPath(next)} />
        ) : (
          <Alert type="info" header="Show once that it is you">
            You have an account here already. Sign in this once with the factor that you use here; then your company’s
            provider leads to the same account.
          </Alert>
        )}
        <ProblemAlert error={tie.error} />
        <Tabs
          tabs={[
            { id: 'passkey', label: 'Passkey', content: <PasskeyTab onDone={enter} /> },
            { id: 'password', label: 'Password and code', content: <PasswordTab onDone={enter} /> },
            { id: 'recovery', label: 'Recovery code', content: <RecoveryTab onDone={enter} /> },
          ]}
        />
      </SpaceBetween>
    </EntrancePage>
  );
}

interface TabProps {
  readonly onDone: () => void;
}

function PasskeyTab({ onDone }: TabProps) {
  const signIn = useCommand({ run: signInWithPasskey, onDone });
  if (!canUsePasskeys()) {
    return <Box>This browser can’t use passkeys here. Sign in with password and code, or open Cordon over HTTPS.</Box>;
  }
  return (
    <SpaceBetween size="m">
      <Box>Your device asks for your fingerprint, face or PIN. Nothing else is needed.</Box>
      <ProblemAlert error={signIn.error} />
      <Button variant="primary" fullWidth loading={signIn.isPending} onClick={() => signIn.mutate()}>
        Sign in with a passkey
      </Button>
    </SpaceBetween>
  );
}

function PasswordTab({ onDone }: TabProps) {
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const first = useCommand({
    run: async () => taken(await api.POST('/api/v1/auth/password', { body: { login, password } })),
  });
  const challengeId = first.data?.challengeId;
  const second = useCommand({
    run: async (id: string) => taken(await api.POST('/api/v1/auth/totp', { body: { challengeId: id, code } })),
    onDone,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (challengeId === undefined) first.mutate();
        else second.mutate(challengeId);
      }}
    >
      <Form
        actions={
          <Button variant="primary" formAction="submit" loading={first.isPending || second.isPending}>
            {challengeId === undefined ? 'Continue' : 'Sign in'}
          </Button>
        }
      >
        <SpaceBetween size="m">
          <ProblemAlert error={second.error ?? first.error} />
          {challengeId === undefined ? (
            <SpaceBetween size="m">
              <FormField label="E-mail address">
                <Input value={login} type="email" autoComplete="username" onChange={(e) => setLogin(e.detail.value)} />
              </FormField>
              <FormField label="Password">
                <Input
                  value={password}
                  type="password"
                  autoComplete="current-password"
                  onChange={(e) => setPassword(e.detail.value)}
                />
              </FormField>
            </SpaceBetween>
          ) : (
            <FormField label="Code" description="Six digits from your authenticator app.">
              <Input
                value={code}
                inputMode="numeric"
                autoComplete="one-time-code"
                autoFocus
                onChange={(e) => setCode(e.detail.value)}
              />
            </FormField>
          )}
        </SpaceBetween>
      </Form>
    </form>
  );
}

function RecoveryTab({ onDone }: TabProps) {
  const [login, setLogin] = useState('');
  const [code, setCode] = useState('');
  const recover = useCommand({
    run: async () => taken(await api.POST('/api/v1/auth/recovery', { body: { login, code } })),
    onDone,
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        recover.mutate();
      }}
    >
      <Form
        actions={
          <Button variant="primary" formAction="submit" loading={recover.isPending}>
            Use the code
          </Button>
        }
      >
        <SpaceBetween size="m">
          <ProblemAlert error={recover.error} />
          <FormField label="E-mail address">
            <Input value={login} type="email" autoComplete="username" onChange={(e) => setLogin(e.detail.value)} />
          </FormField>
          <FormField label="Recovery code" description="Each code works once. You then set up a new passkey.">
            <Input value={code} autoComplete={false} onChange={(e) => setCode(e.detail.value)} />
          </FormField>
        </SpaceBetween>
      </Form>
    </form>
  );
}
