import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { Confirm } from '../display/Confirm.tsx';
import { showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type Overlaps, overlapsQuery } from './data-queries.ts';

/** What apps have in common, by sketches: estimates, and no record. */
export function CommonPanel() {
  const overlaps = useQuery(overlapsQuery);
  const { pairs = [], documents = [], apps = [] } = overlaps.data ?? {};
  const sizes = new Map(apps.map(({ app, records }) => [app, records]));
  const share = (app: string, records: number): string => {
    const all = sizes.get(app) ?? 0;
    return all === 0 ? '—' : `${Math.min(100, Math.round((records / all) * 100))}% of ${app}`;
  };
  return (
    <SpaceBetween size="l">
      <ProblemAlert error={overlaps.error} />
      <Table<Overlaps['pairs'][number]>
        variant="container"
        wrapLines
        loading={overlaps.isPending}
        loadingText="Loading overlaps"
        items={pairs}
        trackBy={({ a, b }) => `${a}/${b}`}
        ariaLabels={{ tableLabel: 'Overlap between apps' }}
        header={
          <Header
            counter={`(${pairs.length})`}
            description="Records that two apps both hold; exact up to 4,096 an app."
          >
            Overlap between apps
          </Header>
        }
        columnDefinitions={[
          { id: 'apps', header: 'Apps', isRowHeader: true, cell: ({ a, b }) => `${a} and ${b}` },
          { id: 'records', header: 'In common', cell: ({ records }) => showCount(records) },
          { id: 'a', header: 'Share', cell: ({ a, b, records }) => `${share(a, records)}, ${share(b, records)}` },
        ]}
        empty={<Box color="text-body-secondary">No two apps are known to hold the same record.</Box>}
      />
      <Table<Overlaps['documents'][number]>
        variant="container"
        wrapLines
        items={documents}
        ariaLabels={{ tableLabel: 'Texts that are alike' }}
        header={
          <Header counter={`(${documents.length})`} description="Long texts that share at least half of their phrases.">
            Texts that are alike
          </Header>
        }
        columnDefinitions={[
          { id: 'a', header: 'In', isRowHeader: true, cell: ({ a }) => `${a.app}: ${a.object}` },
          { id: 'b', header: 'And in', cell: ({ b }) => `${b.app}: ${b.object}` },
          { id: 'likeness', header: 'Alike', cell: ({ likeness }) => `${Math.round(likeness * 100)}%` },
        ]}
        empty={<Box color="text-body-secondary">None is known.</Box>}
      />
      <Rotation />
    </SpaceBetween>
  );
}

function Rotation() {
  const mayWrite = useCan()('data.write');
  const [isAsking, setAsking] = useState(false);
  const rotate = useCommand({
    run: async (_none: null) => taken(await api.POST('/api/v1/data/fingerprint-key/rotate', { body: {} })),
    done: 'Every fingerprint is forgotten; new ones begin with the next traffic and sample.',
    changes: [['data'], ['audit']],
    onDone: () => setAsking(false),
  });
  if (!mayWrite) return null;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description="Deletes the key and with it every fingerprint, sketch and link between flows and records. Nobody can compute them again."
          actions={<Button onClick={() => setAsking(true)}>Forget everything</Button>}
        >
          Fingerprints
        </Header>
      }
    >
      {isAsking ? (
        <Confirm
          title="Forget every fingerprint"
          text="Spread and overlap begin anew. The inventory, labels and flows stay; there is no way back."
          button="Forget"
          command={rotate}
          input={null}
          onClose={() => setAsking(false)}
        />
      ) : null}
      <Box color="text-body-secondary">One record is forgotten from the list of the widest spread.</Box>
    </Container>
  );
}
