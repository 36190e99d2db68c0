import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { LabelBadge } from '../data/LabelBadge.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';

/** A text, and what all detectors find in it. The text is kept nowhere. */
export function TryDetectors() {
  const [text, setText] = useState('');
  const attempt = useCommand({
    run: async (given: string) => ({
      given,
      items: taken(await api.POST('/api/v1/detectors/try', { body: { text: given } })).items,
    }),
  });
  const { data } = attempt;
  return (
    <Container
      header={
        <Header description="What all detectors, shipped and own, find. The text is kept nowhere.">Try a text</Header>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={attempt.error} />
        <FormField label="Text" stretch>
          <Textarea value={text} rows={3} onChange={({ detail }) => setText(detail.value)} />
        </FormField>
        <Button disabled={text === ''} loading={attempt.isPending} onClick={() => attempt.mutate(text)}>
          Look
        </Button>
        {data ? (
          <Table
            variant="embedded"
            wrapLines
            items={data.items}
            ariaLabels={{ tableLabel: 'Findings' }}
            columnDefinitions={[
              { id: 'type', header: 'Type', isRowHeader: true, cell: ({ type }) => type },
              { id: 'text', header: 'In the text', cell: ({ start, end }) => data.given.slice(start, end) },
              { id: 'label', header: 'Label', cell: ({ label }) => <LabelBadge label={label} /> },
              { id: 'confidence', header: 'Confidence', cell: ({ confidence }) => confidence.toFixed(2) },
              { id: 'reasons', header: 'Why', cell: ({ reasons }) => reasons.join(', ') },
            ]}
            empty={<Box color="text-body-secondary">Nothing is found in it.</Box>}
          />
        ) : null}
      </SpaceBetween>
    </Container>
  );
}
