import Autosuggest from '@cloudscape-design/components/autosuggest';
import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { Ago } from '../display/Ago.tsx';
import { showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';
import { useGo } from '../shell/follow.ts';
import { Page } from '../shell/Page.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { CutDialog } from './CutDialog.tsx';
import { KIND_TEXT, nodesQuery, type Radius, radiusQuery, type Reached, type ReachedData } from './graph-queries.ts';
import { PathPanel } from './PathPanel.tsx';
import { RadiusDrawing } from './RadiusDrawing.tsx';

const COLOURS = { public: 'grey', internal: 'blue', confidential: 'severity-medium', restricted: 'red' } as const;

/** Who can reach what: the blast radius of any node, and the cut that ends it. */
export function GraphPage() {
  const { node = '' } = useSearch({ from: '/inside/graph' });
  const go = useGo();
  const [text, setText] = useState('');
  const nodes = useQuery({ ...nodesQuery(text), placeholderData: keepPreviousData });
  const radius = useQuery(radiusQuery(node));
  const open = (id: string): void => go(`/graph?node=${encodeURIComponent(id)}`);
  return (
    <Page
      title="Blast radius"
      description={
        nodes.data
          ? `${showCount(nodes.data.nodes)} nodes, ${showCount(nodes.data.edges)} edges`
          : 'Who can reach what.'
      }
    >
      <SpaceBetween size="l">
        <Autosuggest
          ariaLabel="Find a vendor, app, integration, credential or person"
          placeholder="Find a vendor, app, integration, credential or person"
          value={text}
          filteringType="manual"
          enteredTextLabel={(value) => `Search: ${value}`}
          options={(nodes.data?.items ?? []).map(({ id, name, kind }) => ({
            value: id,
            label: name,
            description: KIND_TEXT[kind],
          }))}
          onChange={({ detail }) => setText(detail.value)}
          onSelect={({ detail }) => {
            if (!detail.selectedOption) return;
            setText('');
            open(detail.value);
          }}
          empty="Nothing is called that."
        />
        {node === '' ? <PathPanel onOpen={open} /> : null}
        {node === '' ? null : (
          <QueryState query={radius}>{(data) => <OneRadius radius={data} onOpen={open} />}</QueryState>
        )}
      </SpaceBetween>
    </Page>
  );
}

function OneRadius({ radius, onOpen }: { readonly radius: Radius; readonly onOpen: (id: string) => void }) {
  const can = useCan();
  const [isCutting, setCutting] = useState(false);
  const { start, counts, worst, data, reached } = radius;
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            description={
              Object.entries(counts)
                .map(([kind, count]) => `${showCount(count)} ${kind.replaceAll('_', ' ')}`)
                .join(', ') || 'It reaches nothing.'
            }
            actions={
              can('graph.cut') ? (
                <Button variant="primary" iconName="lock-private" onClick={() => setCutting(true)}>
                  Cut off
                </Button>
              ) : null
            }
          >
            {start.name} <Badge>{KIND_TEXT[start.kind]}</Badge>{' '}
            {worst ? <Badge color={COLOURS[worst]}>{worst}</Badge> : null}
          </Header>
        }
      >
        <RadiusDrawing radius={radius} onOpen={onOpen} />
      </Container>
      <Table<ReachedData>
        wrapLines
        header={<Header variant="h2">Data</Header>}
        ariaLabels={{ tableLabel: 'Data that is reached' }}
        items={[...data]}
        trackBy="id"
        columnDefinitions={[
          { id: 'class', header: 'Data class', isRowHeader: true, cell: (row) => row.dataClass },
          { id: 'app', header: 'App', cell: (row) => row.app },
          {
            id: 'label',
            header: 'Classification',
            cell: (row) => <Badge color={COLOURS[row.classification]}>{row.classification}</Badge>,
          },
          { id: 'values', header: 'Values seen', cell: (row) => showCount(row.values) },
          { id: 'mine', header: 'Seen through this', cell: (row) => showCount(row.seenValues) },
          { id: 'last', header: 'Last seen', cell: (row) => <Ago at={row.lastAt} none="never" /> },
        ]}
        empty={<Box color="text-body-secondary">No data has been seen that this could reach.</Box>}
      />
      <Table<Reached>
        wrapLines
        header={
          <Header variant="h2" counter={`(${showCount(radius.total - data.length)})`}>
            Reached
          </Header>
        }
        ariaLabels={{ tableLabel: 'What is reached' }}
        items={[...reached]}
        trackBy={({ node }) => node.id}
        columnDefinitions={[
          {
            id: 'name',
            header: 'Name',
            isRowHeader: true,
            cell: ({ node }) => <Link onFollow={() => onOpen(node.id)}>{node.name}</Link>,
          },
          { id: 'kind', header: 'Kind', cell: ({ node }) => KIND_TEXT[node.kind] },
          { id: 'steps', header: 'Steps', cell: ({ distance }) => distance },
          {
            id: 'how',
            header: 'How',
            cell: ({ by, isPartial }) => `${by.replaceAll('_', ' ')}${isPartial ? ', in part' : ''}`,
          },
          {
            id: 'used',
            header: 'Last used',
            cell: ({ node }) => <Ago at={node.lastUsedAt ?? null} none="not known" />,
          },
        ]}
        empty={<Box color="text-body-secondary">Nothing.</Box>}
      />
      {isCutting ? <CutDialog node={start} onClose={() => setCutting(false)} /> : null}
    </SpaceBetween>
  );
}
