import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Ago } from '../display/Ago.tsx';
import { showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { CommonPanel } from './CommonPanel.tsx';
import { type Label, type Spread, spreadsQuery } from './data-queries.ts';
import { LabelBadge } from './LabelBadge.tsx';

const IDENTIFIER_MIN = 6;
const DIRECTIONS: Readonly<Record<string, string>> = { write: 'written', read: 'read', held: 'held there' };

interface Place {
  readonly app: string;
  readonly object: string;
  readonly label: Label;
  readonly direction: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly seen: number;
}

export function SpreadPanel() {
  const mayFind = useCan()('data.find');
  return (
    <SpaceBetween size="l">
      {mayFind ? <Finder /> : null}
      <TopSpread />
      <CommonPanel />
    </SpaceBetween>
  );
}

/** Where one record is, by something that names it: an e-mail address, an IBAN, a card. */
function Finder() {
  const [identifier, setIdentifier] = useState('');
  const find = useCommand({
    run: async (text: string) => taken(await api.POST('/api/v1/data/find', { body: { identifier: text.trim() } })),
    changes: [['audit']],
  });
  const isReady = identifier.trim().length >= IDENTIFIER_MIN;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description="Compared by keyed fingerprint. What you type is not kept; that you looked is."
        >
          Find a record
        </Header>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={find.error} />
        <FormField
          label="Identifier"
          description="E-mail address, phone number, IBAN, card or other strong identifier."
        >
          <Input value={identifier} onChange={({ detail }) => setIdentifier(detail.value)} />
        </FormField>
        <Button disabled={!isReady} loading={find.isPending} onClick={() => find.mutate(identifier)}>
          Find
        </Button>
        {find.data ? <Places kind={find.data.kind} places={find.data.places} /> : null}
      </SpaceBetween>
    </Container>
  );
}

function Places({ kind, places }: { readonly kind: string; readonly places: readonly Place[] }) {
  return (
    <Table<Place>
      variant="embedded"
      wrapLines
      items={places}
      trackBy={(row) => `${row.app}/${row.object}/${row.direction}`}
      ariaLabels={{ tableLabel: 'Where it is' }}
      header={
        <Header variant="h3" counter={`(${places.length})`} description={`Looked for as: ${kind}`}>
          Where it is
        </Header>
      }
      columnDefinitions={[
        { id: 'place', header: 'Data set', isRowHeader: true, cell: (row) => `${row.app}: ${row.object}` },
        { id: 'label', header: 'Label', cell: (row) => <LabelBadge label={row.label} /> },
        { id: 'direction', header: 'Seen', cell: (row) => DIRECTIONS[row.direction] ?? row.direction },
        { id: 'times', header: 'Times', cell: (row) => showCount(row.seen) },
        { id: 'first', header: 'First', cell: (row) => <Ago at={row.firstSeen} /> },
        { id: 'last', header: 'Last', cell: (row) => <Ago at={row.lastSeen} /> },
      ]}
      empty={<Box color="text-body-secondary">It was seen nowhere.</Box>}
    />
  );
}

function TopSpread() {
  const spreads = useQuery(spreadsQuery);
  const mayForget = useCan()('data.write');
  const forget = useCommand({
    run: async (print: string) => taken(await api.POST('/api/v1/data/forget', { body: { print } })),
    done: ({ forgotten }) => `Forgotten in ${forgotten} places.`,
    changes: [['data'], ['audit']],
  });
  const items = spreads.data ?? [];
  return (
    <>
      <ProblemAlert error={spreads.error ?? forget.error} />
      <Table<Spread>
        variant="container"
        wrapLines
        loading={spreads.isPending}
        loadingText="Loading spread"
        items={items}
        trackBy="print"
        ariaLabels={{ tableLabel: 'Widest spread' }}
        header={
          <Header counter={`(${items.length})`} description="Records that are in most places, by their fingerprint.">
            Widest spread
          </Header>
        }
        columnDefinitions={[
          {
            id: 'print',
            header: 'Fingerprint',
            isRowHeader: true,
            cell: (row) => <Box variant="code">{row.print}</Box>,
          },
          { id: 'kind', header: 'Kind', cell: (row) => row.kind },
          { id: 'apps', header: 'Apps', minWidth: 160, cell: (row) => row.apps.join(', ') },
          { id: 'places', header: 'Places', cell: (row) => showCount(row.places) },
          { id: 'below', header: 'Below its label in', cell: (row) => row.below.join(', ') || '—' },
          { id: 'last', header: 'Last seen', cell: (row) => <Ago at={row.lastSeen} /> },
          {
            id: 'forget',
            header: 'Forget',
            cell: (row) =>
              mayForget ? (
                <Button
                  variant="inline-link"
                  ariaLabel={`Forget ${row.print}`}
                  loading={forget.isPending && forget.variables === row.print}
                  onClick={() => forget.mutate(row.print)}
                >
                  Forget
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">No record has been seen yet.</Box>}
      />
    </>
  );
}
