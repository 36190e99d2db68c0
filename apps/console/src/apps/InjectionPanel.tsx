import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showTime } from '../display/time.ts';
import { EventList } from '../events/EventList.tsx';
import { quoteValue } from '../events/query-text.ts';
import { useCan } from '../session/session-query.ts';

type Exception = App['settings']['injectionExceptions'][number];

const DAY_MS = 86_400_000;
const MODES = [
  { value: 'refuse', label: 'Refuse the call' },
  { value: 'detect', label: 'Let pass and record' },
  { value: 'off', label: 'Do not look' },
] as const;
const PLACES = (['body', 'query', 'path', 'header'] as const).map((value) => ({ value, label: value }));
const KINDS = [
  { value: '', label: 'Every kind' },
  ...[
    'sql',
    'nosql',
    'command',
    'path-traversal',
    'ldap',
    'xss',
    'template',
    'xxe',
    'header',
    'ssrf',
    'deserialization',
  ].map((value) => ({ value, label: value })),
];

/** Injection attempts on an app: what is done about them, the newest ones, and fields that may hold such text. */
export function InjectionPanel({ app }: { readonly app: App }) {
  const canWrite = useCan()('app.write');
  const [adding, setAdding] = useState(false);
  const { injection, injectionExceptions } = app.settings;
  const patch = useCommand({
    run: async (body: { injection?: Exclude<typeof injection, undefined>; injectionExceptions?: Exception[] }) =>
      taken(await api.PATCH('/api/v1/apps/{id}', { params: { path: { id: app.id } }, body })),
    done: 'The change is on its way to the gateways.',
    changes: [['apps'], ['audit']],
  });
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">Injection attempts</Header>}>
        <FormField
          label="When a value reads like an attack"
          description="Path, query, headers and body are read by field: free text such as a comment may quote anything."
        >
          <Select
            disabled={!canWrite || patch.isPending}
            selectedOption={MODES.find(({ value }) => value === injection) ?? null}
            options={MODES}
            onChange={({ detail }) => patch.mutate({ injection: detail.selectedOption.value as typeof injection })} // one of MODES
          />
        </FormField>
      </Container>
      <EventList title="Findings" query={`app:${quoteValue(app.id)} AND data_class:injection.*`} limit={15} isWide />
      <Table
        header={
          <Header
            variant="h2"
            counter={`(${injectionExceptions.length})`}
            description="Fields whose values may read like an attack."
            actions={canWrite ? <Button onClick={() => setAdding(true)}>Add exception</Button> : null}
          >
            Exceptions
          </Header>
        }
        items={[...injectionExceptions]}
        empty={<Box color="text-body-secondary">No exceptions: every field is judged.</Box>}
        columnDefinitions={[
          { id: 'field', header: 'Field', cell: (one) => `${one.in}${one.pointer}`, isRowHeader: true },
          { id: 'kind', header: 'Kind', cell: (one) => one.kind ?? 'every' },
          { id: 'operation', header: 'Operation', cell: (one) => one.operationId ?? 'every' },
          {
            id: 'until',
            header: 'Until',
            cell: (one) => (one.expiresAt <= Date.now() ? 'ended' : showTime(one.expiresAt)),
          },
          { id: 'note', header: 'Why', cell: (one) => one.note },
          {
            id: 'remove',
            header: '',
            cell: (one) =>
              canWrite ? (
                <Button
                  variant="inline-link"
                  ariaLabel={`Remove the exception for ${one.in}${one.pointer}`}
                  onClick={() =>
                    patch.mutate({ injectionExceptions: injectionExceptions.filter((other) => other !== one) })
                  }
                >
                  Remove
                </Button>
              ) : null,
          },
        ]}
      />
      {adding ? <AddException app={app} onClose={() => setAdding(false)} /> : null}
    </SpaceBetween>
  );
}

function AddException({ app, onClose }: { readonly app: App; readonly onClose: () => void }) {
  const [draft, setDraft] = useState({ place: 'body', pointer: '/', kind: '', days: '90', note: '' });
  const set = (part: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...part }));
  const save = useCommand<void, unknown>({
    run: async () => {
      const added: Exception = {
        in: draft.place as Exception['in'], // one of PLACES
        pointer: draft.pointer,
        kind: draft.kind === '' ? null : (draft.kind as Exception['kind']), // one of KINDS
        operationId: null,
        expiresAt: Date.now() + Number(draft.days) * DAY_MS,
        note: draft.note,
      };
      const body = { injectionExceptions: [...app.settings.injectionExceptions, added] };
      return taken(await api.PATCH('/api/v1/apps/{id}', { params: { path: { id: app.id } }, body }));
    },
    done: 'The exception is on its way to the gateways.',
    changes: [['apps'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Add an exception"
      button="Add"
      isReady={draft.pointer !== '' && Number(draft.days) > 0 && draft.note !== ''}
      command={{ isPending: save.isPending, error: save.error, mutate: () => save.mutate() }}
      onClose={onClose}
    >
      <ColumnLayout columns={2}>
        <FormField label="Place">
          <Select
            selectedOption={PLACES.find(({ value }) => value === draft.place) ?? null}
            options={PLACES}
            onChange={({ detail }) => set({ place: detail.selectedOption.value ?? 'body' })}
          />
        </FormField>
        <FormField
          label="Field"
          description="As an event shows it: /rules/*/expression. A star is any one name."
          errorText={fieldProblem(save.error, 'injectionExceptions')}
        >
          <Input value={draft.pointer} onChange={({ detail }) => set({ pointer: detail.value })} />
        </FormField>
        <FormField label="Kind">
          <Select
            selectedOption={KINDS.find(({ value }) => value === draft.kind) ?? null}
            options={KINDS}
            onChange={({ detail }) => set({ kind: detail.selectedOption.value ?? '' })}
          />
        </FormField>
        <FormField label="Days" description="Then the field is judged again.">
          <Input value={draft.days} inputMode="numeric" onChange={({ detail }) => set({ days: detail.value })} />
        </FormField>
      </ColumnLayout>
      <FormField label="Why">
        <Input value={draft.note} onChange={({ detail }) => set({ note: detail.value })} />
      </FormField>
    </FormDialog>
  );
}
