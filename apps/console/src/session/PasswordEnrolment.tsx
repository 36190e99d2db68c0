import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QrCode } from './QrCode.tsx';

/** Password and authenticator app, for browsers that can't hold a passkey. */
export function PasswordEnrolment({ onEnrolled }: { readonly onEnrolled: (codes: readonly string[] | null) => void }) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const begin = useCommand({
    run: async () => {
      taken(await api.PUT('/api/v1/auth/password', { body: { password } }));
      return taken(await api.POST('/api/v1/auth/totp/begin'));
    },
  });
  const confirm = useCommand({
    run: async () => taken(await api.POST('/api/v1/auth/totp/confirm', { body: { code } })),
    onDone: ({ recoveryCodes }) => onEnrolled(recoveryCodes),
  });
  const secret = begin.data;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (secret) confirm.mutate();
        else begin.mutate();
      }}
    >
      <Form
        actions={
          <Button variant="primary" formAction="submit" loading={begin.isPending || confirm.isPending}>
            {secret ? 'Confirm the code' : 'Continue'}
          </Button>
        }
      >
        <SpaceBetween size="m">
          <ProblemAlert error={confirm.error ?? begin.error} />
          {secret ? (
            <SpaceBetween size="m">
              <Box>
                Scan this with your authenticator app, enter the key by hand, or{' '}
                <Link href={secret.uri} external={false}>
                  open it on this device
                </Link>
                .
              </Box>
              <Box textAlign="center">
                <QrCode text={secret.uri} label="QR code for your authenticator app" />
              </Box>
              <FormField label="Key">
                <CopyToClipboard
                  variant="inline"
                  textToCopy={secret.secret}
                  copyButtonAriaLabel="Copy the key"
                  copySuccessText="Copied"
                  copyErrorText="Copy it by hand"
                />
              </FormField>
              <FormField label="Code" description="The six digits that the app shows now.">
                <Input
                  value={code}
                  inputMode="numeric"
                  autoComplete="one-time-code"
                  autoFocus
                  onChange={(event) => setCode(event.detail.value)}
                />
              </FormField>
            </SpaceBetween>
          ) : (
            <FormField label="Password" description="Long is better than complicated. Known leaked ones are refused.">
              <Input
                value={password}
                type="password"
                autoComplete="new-password"
                onChange={(event) => setPassword(event.detail.value)}
              />
            </FormField>
          )}
        </SpaceBetween>
      </Form>
    </form>
  );
}
