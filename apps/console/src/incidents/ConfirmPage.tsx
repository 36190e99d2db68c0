import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

/** For whoever got a message: says that it was read. A button, since mail scanners open links by themselves. */
export function ConfirmPage() {
  const [name, setName] = useState('');
  const [isDone, setDone] = useState(false);
  const confirm = useCommand<void, unknown>({
    run: async () => {
      const body = { token: window.location.hash.slice(1), by: name };
      return taken(await api.POST('/api/v1/contact-confirmations', { body }));
    },
    changes: [],
    onDone: () => setDone(true),
  });
  return (
    <Box padding="xxl">
      <Container header={<Header variant="h1">Confirm that you read our message</Header>}>
        {isDone ? (
          <p>Thank you. It is on record that we reach you.</p>
        ) : (
          <SpaceBetween size="m">
            <ProblemAlert error={confirm.error} />
            <FormField label="Your name">
              <Input value={name} onChange={({ detail }) => setName(detail.value)} />
            </FormField>
            <Button
              variant="primary"
              disabled={name.trim().length < 2}
              loading={confirm.isPending}
              onClick={() => confirm.mutate()}
            >
              I read it
            </Button>
          </SpaceBetween>
        )}
      </Container>
    </Box>
  );
}
