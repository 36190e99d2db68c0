import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import Container from '@cloudscape-design/components/container';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Duty } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { FactFields, type Said } from './FactFields.tsx';
import { dutiesQuery } from './incident-queries.ts';

/** What is true of the organisation whatever happens; the rest is asked in each case. */
const LASTING = [
  'controller',
  'processor',
  'in_eu',
  'in_uk',
  'in_us',
  'in_california',
  'in_india',
  'nis2_entity',
  'financial_entity',
  'us_listed',
  'covered_entity',
  'business_associate',
  'product_maker',
];
const TEXT = { true: 'Yes', false: 'No' } as const;

/** The duties that Cordon knows, and what is true of the organisation once for all cases. */
export function DutiesPage() {
  const mayWrite = useCan()('playbook.write');
  const query = useQuery(dutiesQuery);
  const [isEditing, setEditing] = useState(false);
  const { questions = {}, organisation } = query.data ?? {};
  const lasting = Object.fromEntries(Object.entries(questions).filter(([name]) => LASTING.includes(name)));
  return (
    <Page
      title="Duties to notify"
      description="Whom the law obliges you to tell, and in what time. Counsel decides; Cordon counts."
    >
      <SpaceBetween size="l">
        <ProblemAlert error={query.error} />
        <Container
          header={
            <Header
              variant="h2"
              description="Said once, it counts in every case; a case may say otherwise."
              actions={mayWrite ? <Button onClick={() => setEditing(true)}>Edit</Button> : null}
            >
              Your organisation
            </Header>
          }
        >
          <KeyValuePairs
            columns={3}
            items={Object.entries(lasting).map(([name, label]) => {
              const value = organisation?.facts[name];
              return { label, value: value === undefined ? 'Not known' : TEXT[`${value}`] };
            })}
          />
        </Container>
        <Table<Duty>
          variant="container"
          wrapLines
          loading={query.isPending}
          loadingText="Loading duties"
          items={query.data?.items ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Duties' }}
          header={
            <Header variant="h2" counter={`(${query.data?.items.length ?? 0})`}>
              Duties
            </Header>
          }
          columnDefinitions={[
            {
              id: 'title',
              header: 'Duty',
              isRowHeader: true,
              minWidth: 260,
              cell: (row) => (
                <div>
                  {row.title}
                  <Box variant="small" display="block">
                    {row.summary}
                  </Box>
                </div>
              ),
            },
            {
              id: 'law',
              header: 'Source',
              minWidth: 170,
              cell: (row) => (
                <Link href={row.url} external variant="secondary">
                  {row.law}
                </Link>
              ),
            },
            { id: 'steps', header: 'Steps', cell: (row) => row.stages.map(({ title }) => title).join(', ') },
            {
              id: 'status',
              header: 'State',
              minWidth: 190,
              cell: (row) =>
                row.status === 'pending' ? (
                  <StatusIndicator type="pending">Not in force yet</StatusIndicator>
                ) : (
                  <StatusIndicator type="success">{`In force since ${row.from ?? 'unknown'}`}</StatusIndicator>
                ),
            },
            { id: 'checked', header: 'Compared with its text', cell: (row) => row.checked ?? 'Not yet' },
          ]}
        />
      </SpaceBetween>
      {isEditing ? (
        <OrganisationForm questions={lasting} known={organisation?.facts ?? {}} onClose={() => setEditing(false)} />
      ) : null}
    </Page>
  );
}

function OrganisationForm(props: {
  readonly questions: Readonly<Record<string, string>>;
  readonly known: Readonly<Record<string, boolean>>;
  readonly onClose: () => void;
}) {
  const [said, setSaid] = useState<Said>({});
  const save = useCommand<void, unknown>({
    run: async () => taken(await api.PUT('/api/v1/duties/organisation', { body: { facts: { ...said }, moments: {} } })),
    done: 'It counts in every case from now on.',
    changes: [['duties'], ['cases']],
    onDone: props.onClose,
  });
  return (
    <FormDialog title="Your organisation" button="Save" command={save} onClose={props.onClose}>
      <FactFields questions={props.questions} known={props.known} said={said} onSay={setSaid} />
    </FormDialog>
  );
}
