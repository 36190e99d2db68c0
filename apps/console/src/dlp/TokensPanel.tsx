import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

const REASON_MIN = 10;
const CATEGORY = 'user.financial.bank_account';

/** Makes tokens of values, and puts them back for whoever may: with a reason, on record. */
export function TokensPanel() {
  const can = useCan();
  return (
    <SpaceBetween size="l">
      <MakeToken />
      {can('dlp.reveal') ? <Reveal /> : null}
    </SpaceBetween>
  );
}

function MakeToken() {
  const [value, setValue] = useState('');
  const [category, setCategory] = useState(CATEGORY);
  const make = useCommand({
    run: async () => taken(await api.POST('/api/v1/dlp/tokens', { body: { value, category, mode: 'token' } })),
  });
  return (
    <Container header={<Header variant="h2">Make a token</Header>}>
      <SpaceBetween size="m">
        <ProblemAlert error={make.error} />
        <FormField label="Value">
          <Input value={value} autoComplete={false} onChange={({ detail }) => setValue(detail.value)} />
        </FormField>
        <FormField label="Category" description="A fideslang key; a token is put back only under the same one.">
          <Input value={category} onChange={({ detail }) => setCategory(detail.value)} />
        </FormField>
        <Button disabled={value === ''} loading={make.isPending} onClick={() => make.mutate(undefined)}>
          Make a token
        </Button>
        {make.data ? <Box variant="code">{make.data.value}</Box> : null}
      </SpaceBetween>
    </Container>
  );
}

function Reveal() {
  const [token, setToken] = useState('');
  const [category, setCategory] = useState(CATEGORY);
  const [reason, setReason] = useState('');
  const reveal = useCommand({
    run: async () =>
      taken(await api.POST('/api/v1/dlp/tokens/reveal', { body: { token, category, reason, mode: 'token' } })),
    changes: [['audit']],
  });
  return (
    <Container
      header={
        <Header variant="h2" description="Who put what back, when and why is in the audit trail; the value is not.">
          Put a token back
        </Header>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={reveal.error} />
        <FormField label="Token">
          <Input value={token} onChange={({ detail }) => setToken(detail.value)} />
        </FormField>
        <FormField label="Category of the token">
          <Input value={category} onChange={({ detail }) => setCategory(detail.value)} />
        </FormField>
        <FormField label="Why" description="At least ten characters.">
          <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
        </FormField>
        <Button
          disabled={token === '' || reason.trim().length < REASON_MIN}
          loading={reveal.isPending}
          onClick={() => reveal.mutate(undefined)}
        >
          Put it back
        </Button>
        {reveal.data ? <Box variant="code">{reveal.data.value}</Box> : null}
      </SpaceBetween>
    </Container>
  );
}
