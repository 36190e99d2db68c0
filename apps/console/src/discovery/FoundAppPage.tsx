import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { showBytes, showCount } from '../display/number.ts';
import { showDay, showTime } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { AppState, RiskBadge } from './AppState.tsx';
import { AskForm, DecideForm } from './DecideForms.tsx';
import { EVIDENCE_NAMES, type FoundApp, type FoundAppDetail, foundAppQuery } from './discovery-queries.ts';
import { RunTable } from './RunTable.tsx';

export function FoundAppPage() {
  const { key } = useParams({ from: '/inside/discovery/$key' });
  const found = useQuery(foundAppQuery(key));
  return <QueryState query={found}>{(detail) => <OneApp detail={detail} />}</QueryState>;
}

function Facts({ app }: { readonly app: FoundApp }) {
  const owner = app.owner === null ? '—' : `${app.owner.name}${app.dueAt === null ? '' : `, by ${showDay(app.dueAt)}`}`;
  const decided = app.decidedBy === null ? '—' : `${app.decidedBy}: ${app.reason ?? ''}`;
  return (
    <Container>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'State', value: <AppState state={app.state} /> },
          { label: 'Company', value: app.company ?? 'Not known' },
          { label: 'Domains', value: app.domains.join(', ') || '—' },
          { label: 'Users', value: `${showCount(app.users)} by name, ${showCount(app.addresses)} by address` },
          { label: 'First and last seen', value: `${showDay(app.firstAt)} – ${showDay(app.lastAt)}` },
          { label: 'Volume', value: `${showCount(app.events)} traces, ${showBytes(app.bytes)}` },
          { label: 'Asked', value: owner },
          {
            label: 'Decided',
            value: app.expiresAt === null ? decided : `${decided} (until ${showDay(app.expiresAt)})`,
          },
        ]}
      />
    </Container>
  );
}

function RiskPanel({ app }: { readonly app: FoundApp }) {
  return (
    <Container
      header={
        <Header variant="h2" description="The sum of what is known of it and what was seen.">
          Risk <RiskBadge score={app.risk.score} />
        </Header>
      }
    >
      {app.risk.hints.length === 0 ? (
        <Box color="text-body-secondary">Nothing speaks against it.</Box>
      ) : (
        <ul>
          {app.risk.hints.map((hint) => (
            <li key={hint.code}>
              {`${hint.text} (+${hint.weight}) `}
              {hint.source === null ? (
                <Box variant="small" display="inline">
                  seen by Cordon
                </Box>
              ) : (
                <Link external href={hint.source} variant="secondary">
                  source
                </Link>
              )}
            </li>
          ))}
        </ul>
      )}
    </Container>
  );
}

/** Puts the company behind a found app into the register of vendors, for its assessment. */
function RegisterVendor({ app }: { readonly app: FoundApp }) {
  const name = app.company ?? app.name;
  const [domain] = app.domains;
  const add = useCommand({
    run: async () => {
      const website = domain === undefined ? null : `https://${domain}`;
      const body = { name, website, products: [app.name], note: 'Found by discovery.' };
      return taken(await api.POST('/api/v1/vendors', { body }));
    },
    done: `${name} is in the register of vendors.`,
    changes: [['vendors']],
  });
  return (
    <>
      <Button loading={add.isPending} onClick={() => add.mutate(undefined)}>
        Add to vendors
      </Button>
      <ProblemAlert error={add.error} />
    </>
  );
}

function OneApp({ detail: { app, uses, decisions, runs } }: { readonly detail: FoundAppDetail }) {
  const can = useCan();
  const [form, setForm] = useState<'decide' | 'ask' | null>(null);
  return (
    <Page
      title={app.name}
      parents={[{ text: 'Discovery', href: '/discovery' }]}
      description={app.categoryTitle ?? 'Software that the catalogue does not know.'}
      actions={
        <SpaceBetween direction="horizontal" size="xs">
          {can('discovery.write') && can('person.read') ? (
            <Button onClick={() => setForm('ask')}>Ask somebody</Button>
          ) : null}
          {can('vendor.write') ? <RegisterVendor app={app} /> : null}
          {can('discovery.decide') ? (
            <Button variant="primary" onClick={() => setForm('decide')}>
              Decide
            </Button>
          ) : null}
        </SpaceBetween>
      }
    >
      <SpaceBetween size="m">
        <Facts app={app} />
        <RiskPanel app={app} />
        <Table
          variant="container"
          wrapLines
          items={[...uses]}
          trackBy={(use) => `${use.evidence} ${use.source} ${use.who} ${use.firstAt}`}
          ariaLabels={{ tableLabel: 'Who uses it' }}
          header={<Header counter={`(${uses.length})`}>Who uses it</Header>}
          columnDefinitions={[
            { id: 'who', header: 'Who', isRowHeader: true, cell: (use) => use.who || 'Not said' },
            { id: 'evidence', header: 'Evidence', cell: (use) => EVIDENCE_NAMES[use.evidence] },
            { id: 'source', header: 'From', cell: (use) => use.source },
            { id: 'detail', header: 'Access', cell: (use) => use.detail ?? '—' },
            { id: 'events', header: 'Traces', cell: (use) => showCount(use.events) },
            { id: 'bytes', header: 'Volume', cell: (use) => (use.bytes > 0 ? showBytes(use.bytes) : '—') },
            { id: 'first', header: 'First', cell: (use) => showTime(use.firstAt) },
            { id: 'last', header: 'Last', cell: (use) => showTime(use.lastAt) },
          ]}
          empty={<Box color="text-body-secondary">Nothing tells of it any more.</Box>}
        />
        <RunTable title="What was done" runs={runs} />
        <Table
          variant="container"
          wrapLines
          items={[...decisions]}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Decisions' }}
          header={<Header counter={`(${decisions.length})`}>Decisions and answers</Header>}
          columnDefinitions={[
            { id: 'at', header: 'When', isRowHeader: true, cell: (row) => showTime(row.at) },
            { id: 'by', header: 'By', cell: (row) => row.by },
            { id: 'to', header: 'State', cell: (row) => <AppState state={row.to} /> },
            { id: 'reason', header: 'Reason', cell: (row) => row.reason },
          ]}
          empty={<Box color="text-body-secondary">Nobody has decided yet.</Box>}
        />
      </SpaceBetween>
      {form === 'decide' ? <DecideForm app={app} onClose={() => setForm(null)} /> : null}
      {form === 'ask' ? <AskForm app={app} onClose={() => setForm(null)} /> : null}
    </Page>
  );
}
