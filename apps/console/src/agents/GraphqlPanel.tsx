import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { grantsQuery, integrationsQuery } from '../api/estate-queries.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App, GraphqlSchema } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showCount } from '../display/number.ts';
import { selectorCovers } from '../integrations/grant-text.ts';
import { useCan } from '../session/session-query.ts';
import { graphqlSchemaQuery } from './agent-queries.ts';

type Settings = NonNullable<App['settings']['graphql']>;
type Field = NonNullable<GraphqlSchema>['operations'][number];

const LIMITS = [
  ['depthMax', 'Depth'],
  ['costMax', 'Cost (objects asked for)'],
  ['fieldsMax', 'Fields'],
  ['aliasesMax', 'Aliases'],
  ['rootFieldsMax', 'Root fields'],
  ['batchMax', 'Requests in a batch'],
  ['documentBytesMax', 'Bytes of a document'],
  ['directivesMax', 'Directives'],
] as const;

/** An app's GraphQL endpoint: its limits, its schema, and who may ask for which root field. */
export function GraphqlPanel({ app }: { readonly app: App }) {
  const can = useCan();
  const [dialog, setDialog] = useState<'limits' | 'schema' | null>(null);
  const settings = app.settings.graphql;
  if (!settings) return null;
  const close = (): void => setDialog(null);
  return (
    <SpaceBetween size="l">
      <Container
        header={
          <Header
            variant="h2"
            description="Held against each document before the vendor sees it."
            actions={
              can('app.write') ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button onClick={() => setDialog('limits')}>Change limits</Button>
                  <Button onClick={() => setDialog('schema')}>Give schema</Button>
                </SpaceBetween>
              ) : null
            }
          >
            Limits
          </Header>
        }
      >
        <KeyValuePairs
          columns={4}
          items={[
            { label: 'Paths', value: settings.paths.join(', ') },
            { label: 'Introspection', value: settings.introspection === 'allow' ? 'Allowed' : 'Refused' },
            { label: 'Persisted queries', value: settings.persistedQueries === 'allow' ? 'Allowed' : 'Refused' },
            { label: 'Queries by GET', value: settings.get === 'allow' ? 'Allowed' : 'Refused' },
            ...LIMITS.map(([key, label]) => ({ label, value: showCount(settings[key]) })),
          ]}
        />
      </Container>
      <FieldTable app={app} />
      {dialog === 'limits' ? <LimitsDialog app={app} settings={settings} onClose={close} /> : null}
      {dialog === 'schema' ? <SchemaDialog app={app} onClose={close} /> : null}
    </SpaceBetween>
  );
}

function FieldTable({ app }: { readonly app: App }) {
  const schema = useQuery(graphqlSchemaQuery(app.id));
  const grants = useQuery(grantsQuery({ appId: app.id }));
  const integrations = useQuery(integrationsQuery);
  const holders = ({ id, access, summary, deprecated }: Field): string => {
    const [, kind = '', ...path] = id.split('.');
    const operation = {
      id,
      method: kind.toUpperCase(),
      path: `/${path.join('/')}`,
      tags: ['graphql', kind],
      access,
      summary,
      deprecated,
    };
    const found = (grants.data ?? []).filter(({ select }) => select.some((one) => selectorCovers(one, operation)));
    const names = found.map(
      ({ integrationId }) => integrations.data?.find((one) => one.id === integrationId)?.name ?? integrationId,
    );
    return [...new Set(names)].join(', ');
  };
  const rows = schema.data?.operations ?? [];
  return (
    <Table<Field>
      variant="container"
      contentDensity="compact"
      wrapLines
      loading={schema.isPending}
      loadingText="Loading the schema"
      items={rows}
      trackBy="id"
      ariaLabels={{ tableLabel: 'Root fields' }}
      header={
        <Header
          variant="h2"
          counter={`(${rows.length})`}
          description={
            schema.data
              ? `${showCount(schema.data.types)} types. Documents that don’t fit are refused.`
              : 'Without a schema documents are held to limits and grants only.'
          }
        >
          Root fields
        </Header>
      }
      columnDefinitions={[
        { id: 'id', header: 'Operation', isRowHeader: true, cell: (row) => row.id },
        {
          id: 'access',
          header: 'Access',
          cell: (row) => <Badge color={row.access === 'write' ? 'severity-medium' : 'grey'}>{row.access}</Badge>,
        },
        { id: 'summary', header: 'What it does', cell: (row) => row.summary || '-' },
        { id: 'holders', header: 'Granted to', cell: (row) => holders(row) || '-' },
      ]}
      empty={<Box color="text-body-secondary">No schema yet. Give one as SDL or as the JSON of an introspection.</Box>}
    />
  );
}

interface DialogProps {
  readonly app: App;
  readonly onClose: () => void;
}

function LimitsDialog({ app, settings, onClose }: DialogProps & { readonly settings: Settings }) {
  const [draft, setDraft] = useState<Settings>(settings);
  const save = useCommand({
    run: async () =>
      taken(
        await api.PATCH('/api/v1/apps/{id}', { params: { path: { id: app.id } }, body: { graphql: draft } as never }),
      ), // the server checks each field
    done: 'The limits are saved and on their way to the gateways.',
    changes: [['apps'], ['audit']],
    onDone: onClose,
  });
  const choices = [
    { value: 'refuse', label: 'Refused' },
    { value: 'allow', label: 'Allowed' },
  ];
  return (
    <FormDialog button="Save" title={`GraphQL limits of ${app.title}`} command={save} onClose={onClose}>
      <FormField label="Introspection">
        <Select
          expandToViewport
          selectedOption={choices.find(({ value }) => value === draft.introspection) ?? null}
          options={choices}
          onChange={({ detail }) =>
            setDraft({ ...draft, introspection: detail.selectedOption.value === 'allow' ? 'allow' : 'refuse' })
          }
        />
      </FormField>
      {LIMITS.map(([key, label]) => (
        <FormField key={key} label={label} errorText={fieldProblem(save.error, `graphql.${key}`)}>
          <Input
            inputMode="numeric"
            value={String(draft[key])}
            onChange={({ detail }) => setDraft({ ...draft, [key]: Number(detail.value.replace(/\D/g, '')) })}
          />
        </FormField>
      ))}
    </FormDialog>
  );
}

function SchemaDialog({ app, onClose }: DialogProps) {
  const [document, setDocument] = useState('');
  const save = useCommand({
    run: async () =>
      taken(
        await api.PUT('/api/v1/apps/{id}/graphql/schema', { params: { path: { id: app.id } }, body: { document } }),
      ),
    done: (summary) => `${showCount(summary?.operations.length ?? 0)} root fields are known now.`,
    changes: [['apps', app.id], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      button="Save"
      title={`GraphQL schema of ${app.title}`}
      isReady={document !== ''}
      command={save}
      onClose={onClose}
    >
      <FormField label="Schema" description="SDL, or the JSON of an introspection.">
        <Textarea rows={14} value={document} onChange={({ detail }) => setDocument(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
