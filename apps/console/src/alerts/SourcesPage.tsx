import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Source } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { CopyText } from '../integrations/MadeCredentialView.tsx';
import { showMs } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { DeadLetters } from './DeadLetters.tsx';
import { collectText, SourceForm } from './SourceForm.tsx';
import { sourcesQuery } from './alert-queries.ts';

export function SourcesPage() {
  const can = useCan();
  const sources = useQuery(sourcesQuery);
  const [isAdding, setAdding] = useState(false);
  const [credential, setCredential] = useState<string | null>(null);
  const [opened, setOpened] = useState<Source | null>(null);
  return (
    <Page title="Sources" description="Where vendor events come from, and whether they come.">
      <SpaceBetween size="m">
        <ProblemAlert error={sources.error} />
        <Table<Source>
          variant="container"
          wrapLines
          loading={sources.isPending}
          loadingText="Loading sources"
          items={sources.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Sources' }}
          header={
            <Header
              variant="h2"
              counter={`(${sources.data?.length ?? 0})`}
              actions={
                can('source.write') ? (
                  <Button variant="primary" onClick={() => setAdding(true)}>
                    Add source
                  </Button>
                ) : null
              }
            >
              Sources
            </Header>
          }
          columnDefinitions={[
            { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
            { id: 'product', header: 'Product', cell: (row) => row.product },
            { id: 'collect', header: 'How they come', cell: (row) => collectText(row.collect) },
            { id: 'state', header: 'State', cell: (row) => <State source={row} /> },
            { id: 'accepted', header: 'Events', cell: (row) => row.accepted.toLocaleString('en') },
            { id: 'last', header: 'Last came', cell: (row) => <Ago at={row.lastReceivedAt} none="never" /> },
            { id: 'newest', header: 'Newest event', cell: (row) => <Ago at={row.watermark} none="none" /> },
            { id: 'lag', header: 'Lag', cell: (row) => (row.lagMs === null ? '-' : showMs(row.lagMs)) },
            {
              id: 'dead',
              header: 'Dead letters',
              cell: (row) =>
                row.deadLetters === 0 ? (
                  '0'
                ) : (
                  <Button variant="inline-link" onClick={() => setOpened(row)}>
                    {row.deadLetters}
                  </Button>
                ),
            },
          ]}
          empty={
            <Box color="text-body-secondary">No source yet. Events of calls need none: they come by themselves.</Box>
          }
        />
      </SpaceBetween>
      {isAdding ? <SourceForm onClose={() => setAdding(false)} onMade={setCredential} /> : null}
      {credential === null ? null : <CredentialView value={credential} onClose={() => setCredential(null)} />}
      {opened ? <DeadLetters source={opened} onClose={() => setOpened(null)} /> : null}
    </Page>
  );
}

function State({ source }: { readonly source: Source }) {
  if (source.status === 'paused') return <StatusIndicator type="stopped">Paused</StatusIndicator>;
  if (source.collectError !== null) return <StatusIndicator type="error">{source.collectError}</StatusIndicator>;
  if (source.lastReceivedAt === null) return <StatusIndicator type="pending">Waiting for events</StatusIndicator>;
  const { errorRate } = source;
  if (errorRate === null || errorRate === 0) return <StatusIndicator type="success">Well</StatusIndicator>;
  return <StatusIndicator type="warning">{(errorRate * 100).toFixed(1)} % fail</StatusIndicator>;
}

function CredentialView({ value, onClose }: { readonly value: string; readonly onClose: () => void }) {
  return (
    <Modal
      visible
      size="large"
      header="The source's credential"
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onClose}>
            I have kept it
          </Button>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Alert type="warning">Shown this once. Cordon keeps only its hash.</Alert>
        <CopyText text={value} label="Copy the credential" />
        <Box>Send events with it as bearer to:</Box>
        <CopyText text={`${window.location.origin}/ingest/v1/events`} label="Copy the address" />
      </SpaceBetween>
    </Modal>
  );
}
