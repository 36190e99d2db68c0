import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { showCount } from '../display/number.ts';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type DataField, type DataSet, fieldsQuery, setsQuery } from './data-queries.ts';
import { LabelBadge, Reasons } from './LabelBadge.tsx';
import { PinForm, type PinTarget } from './PinForm.tsx';

export function DataSetPage() {
  const { app, object } = useParams({ from: '/inside/data/$app/$object' });
  const sets = useQuery(setsQuery);
  const set = sets.data?.find((one) => one.app === app && one.object === object);
  const mayPin = useCan()('data.label');
  const [target, setTarget] = useState<PinTarget | null>(null);
  return (
    <Page
      title={`${app}: ${object}`}
      parents={[{ text: 'Data', href: '/data' }]}
      actions={
        mayPin && set ? (
          <Button onClick={() => setTarget({ app, object, path: null, label: set.label, pinned: set.pinnedLabel })}>
            Pin the label
          </Button>
        ) : null
      }
    >
      <SpaceBetween size="l">
        <ProblemAlert error={sets.error} />
        {set ? <Facts set={set} /> : null}
        <Fields app={app} object={object} onPin={mayPin ? setTarget : null} />
      </SpaceBetween>
      {target ? <PinForm target={target} onClose={() => setTarget(null)} /> : null}
    </Page>
  );
}

function Facts({ set }: { readonly set: DataSet }) {
  return (
    <Container header={<Header variant="h2">About</Header>}>
      <KeyValuePairs
        columns={4}
        items={[
          { label: 'Label', value: <LabelBadge label={set.label} isPinned={set.pinnedLabel !== null} /> },
          { label: 'Because', value: <Reasons reasons={set.labelReasons} /> },
          { label: 'Sightings', value: showCount(set.records) },
          { label: 'Region', value: set.region ?? '—' },
          { label: 'Vendor', value: set.vendor ?? '—' },
          { label: 'First seen', value: showDay(set.firstSeen) },
          { label: 'Last seen', value: showDay(set.lastSeen) },
        ]}
      />
    </Container>
  );
}

const ORIGINS: Readonly<Record<string, string>> = {
  openapi: 'API description',
  schema: "the tool's schema",
  record: 'sampled records',
  traffic: 'traffic',
};

/** What speaks for a category: how often each detector fired, or the field's name; and where it was seen. */
function evidenceOf(field: DataField): string {
  const fired = Object.entries(field.detections).map(([type, count]) => `${type} × ${showCount(count)}`);
  const by = field.categoryFrom === 'name' ? 'by its name' : `by its content (${field.categoryFrom})`;
  const seen = Object.keys(field.sources).map((source) => ORIGINS[source] ?? source);
  return [by, ...fired, `in ${seen.join(', ') || 'nothing that is still there'}`].join('; ');
}

interface FieldsProps {
  readonly app: string;
  readonly object: string;
  readonly onPin: ((target: PinTarget) => void) | null;
}

function Fields({ app, object, onPin }: FieldsProps) {
  const fields = useQuery(fieldsQuery(app, object));
  const items = fields.data ?? [];
  return (
    <>
      <ProblemAlert error={fields.error} />
      <Table<DataField>
        variant="container"
        wrapLines
        loading={fields.isPending}
        loadingText="Loading fields"
        items={items}
        trackBy="path"
        ariaLabels={{ tableLabel: 'Fields' }}
        header={
          <Header counter={`(${items.length})`} description="Samples are counted and never kept.">
            Fields
          </Header>
        }
        columnDefinitions={[
          { id: 'path', header: 'Field', isRowHeader: true, cell: (row) => row.path },
          { id: 'type', header: 'Type', cell: (row) => row.type ?? '—' },
          { id: 'category', header: 'Category', minWidth: 180, cell: (row) => row.category },
          { id: 'evidence', header: 'Evidence', minWidth: 240, cell: evidenceOf },
          { id: 'samples', header: 'Samples', cell: (row) => showCount(row.samples) },
          {
            id: 'label',
            header: 'Label',
            minWidth: 150,
            cell: (row) => <LabelBadge label={row.label} isPinned={row.pinnedLabel !== null} />,
          },
          {
            id: 'why',
            header: 'Because',
            minWidth: 200,
            cell: (row) => <Reasons reasons={row.labelReasons} />,
          },
          {
            id: 'pin',
            header: 'Pin',
            minWidth: 80,
            cell: (row) =>
              onPin ? (
                <Button
                  variant="inline-link"
                  ariaLabel={`Pin the label of ${row.path}`}
                  onClick={() => onPin({ app, object, path: row.path, label: row.label, pinned: row.pinnedLabel })}
                >
                  Pin
                </Button>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">No field is known.</Box>}
      />
    </>
  );
}
