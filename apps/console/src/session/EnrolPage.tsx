import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useCommand } from '../api/use-command.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { EntrancePage } from './EntrancePage.tsx';
import { addPasskey, canUsePasskeys } from './passkey.ts';
import { PasswordEnrolment } from './PasswordEnrolment.tsx';
import { RecoveryCodes } from './RecoveryCodes.tsx';
import { reloadSession } from './session-query.ts';

/** Setting up the first factor; then the recovery codes, shown this once. */
export function EnrolPage() {
  const navigate = useNavigate();
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const enter = (): void => {
    void reloadSession().then(() => navigate({ href: '/' }));
  };
  const onEnrolled = (recoveryCodes: readonly string[] | null): void => {
    if (recoveryCodes === null) enter();
    else setCodes(recoveryCodes);
  };
  if (codes) {
    return (
      <EntrancePage title="Keep your recovery codes" description="They are shown this once.">
        <RecoveryCodes codes={codes} onDone={enter} />
      </EntrancePage>
    );
  }
  return (
    <EntrancePage title="Set up how you sign in" description="Cordon accepts no password alone.">
      <Tabs
        tabs={[
          { id: 'passkey', label: 'Passkey', content: <PasskeyEnrolment onEnrolled={onEnrolled} /> },
          { id: 'password', label: 'Password and code', content: <PasswordEnrolment onEnrolled={onEnrolled} /> },
        ]}
      />
    </EntrancePage>
  );
}

function PasskeyEnrolment({ onEnrolled }: { readonly onEnrolled: (codes: readonly string[] | null) => void }) {
  const [name, setName] = useState('This device');
  const add = useCommand({
    run: async () => addPasskey(name),
    onDone: ({ recoveryCodes }) => onEnrolled(recoveryCodes),
  });
  if (!canUsePasskeys()) {
    return <Box>This browser can’t hold a passkey here. Set up password and code instead.</Box>;
  }
  return (
    <SpaceBetween size="m">
      <Box>A passkey can’t be phished or reused. Your device, phone or security key keeps it.</Box>
      <ProblemAlert error={add.error} />
      <FormField label="Name of this passkey" description="So that you recognise it in the list later.">
        <Input value={name} onChange={(event) => setName(event.detail.value)} />
      </FormField>
      <Button variant="primary" fullWidth loading={add.isPending} onClick={() => add.mutate()}>
        Create a passkey
      </Button>
    </SpaceBetween>
  );
}
