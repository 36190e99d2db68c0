import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { registerStepUp } from '../api/step-up-gate.ts';
import { useCommand } from '../api/use-command.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { canUsePasskeys, confirmWithPasskey } from './passkey.ts';

/** Opens by itself whenever the API wants a fresh factor before a privileged act; the act then goes on. */
export function StepUpDialog() {
  const [isOpen, setIsOpen] = useState(false);
  const answer = useRef<((given: boolean) => void) | null>(null);
  useEffect(
    () =>
      registerStepUp(
        async () =>
          new Promise<boolean>((resolve) => {
            answer.current = resolve;
            setIsOpen(true);
          }),
      ),
    [],
  );
  const close = (given: boolean): void => {
    setIsOpen(false);
    answer.current?.(given);
    answer.current = null;
  };
  // Mounted only while it is open: of two dialogs the one that came last is on top, and this one always follows a form.
  if (!isOpen) return null;
  return (
    <Modal visible header="Confirm that it is you" onDismiss={() => close(false)} closeAriaLabel="Cancel" size="small">
      <Factors onDone={() => close(true)} onCancel={() => close(false)} />
    </Modal>
  );
}

function hereNow(): string {
  const { pathname, search } = window.location;
  return pathname + search;
}

/** The ways to show a factor again; `passkeyOnly` leaves out what doesn't resist phishing. */
export function Factors({
  onDone,
  onCancel,
  text = 'This act needs a factor shown within the last 15 minutes.',
  passkeyOnly = false,
}: {
  readonly onDone: () => void;
  readonly onCancel: () => void;
  readonly text?: string;
  readonly passkeyOnly?: boolean;
}) {
  const [code, setCode] = useState('');
  const factors = useQuery({
    queryKey: ['factors'],
    queryFn: async () => taken(await api.GET('/api/v1/auth/factors')),
  });
  const providers = useQuery({
    queryKey: ['own-providers'],
    queryFn: async () => taken(await api.GET('/api/v1/auth/upstream')).items,
  });
  const there = passkeyOnly ? [] : (providers.data ?? []).filter((one) => one.mayStepUp);
  const passkey = useCommand({ run: confirmWithPasskey, onDone });
  const totp = useCommand({
    run: async () => taken(await api.POST('/api/v1/auth/step-up/totp', { body: { code } })),
    onDone,
  });
  const hasPasskey = canUsePasskeys() && (factors.data?.passkeys.length ?? 0) > 0;
  return (
    <SpaceBetween size="m">
      <Box>{text}</Box>
      <ProblemAlert error={passkey.error ?? totp.error ?? factors.error} />
      {factors.data?.totp && !passkeyOnly ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            totp.mutate();
          }}
        >
          <SpaceBetween size="s">
            <FormField label="Code of your authenticator app">
              <Input
                value={code}
                inputMode="numeric"
                autoComplete="one-time-code"
                onChange={(event) => setCode(event.detail.value)}
              />
            </FormField>
            <Button formAction="submit" loading={totp.isPending} disabled={code.length < 6}>
              Confirm with the code
            </Button>
          </SpaceBetween>
        </form>
      ) : null}
      {there.map(({ id, name }) => (
        <Button key={id} href={`/sso/up/start/${id}?mode=step-up&next=${encodeURIComponent(hereNow())}`}>
          Confirm at {name}
        </Button>
      ))}
      <Box float="right">
        <SpaceBetween direction="horizontal" size="xs">
          <Button variant="link" onClick={onCancel}>
            Cancel
          </Button>
          {hasPasskey ? (
            <Button variant="primary" loading={passkey.isPending} onClick={() => passkey.mutate()}>
              Confirm with a passkey
            </Button>
          ) : null}
        </SpaceBetween>
      </Box>
    </SpaceBetween>
  );
}
