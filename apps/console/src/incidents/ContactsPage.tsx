import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Contact } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { channelsQuery, contactsQuery } from './incident-queries.ts';

const KINDS = [
  { value: 'vendor', label: 'Vendor' },
  { value: 'app', label: 'App' },
  { value: 'regulator', label: 'Regulator' },
  { value: 'insurer', label: 'Insurer' },
  { value: 'customer-group', label: 'Group of customers' },
  { value: 'internal', label: 'Our own people' },
] as const;

/** Whom to reach in an incident, and whether they can be reached. */
export function ContactsPage() {
  const mayWrite = useCan()('case.write');
  const contacts = useQuery(contactsQuery);
  const [isAdding, setAdding] = useState(false);
  const test = useCommand({
    run: async (one: Contact) =>
      taken(await api.POST('/api/v1/contacts/{id}/tests', { params: { path: { id: one.id } } })),
    done: (_, { name }) => `A test is on its way to ${name}.`,
    changes: [['contacts']],
  });
  const remove = useCommand({
    run: async (one: Contact) => taken(await api.DELETE('/api/v1/contacts/{id}', { params: { path: { id: one.id } } })),
    done: (_, { name }) => `${name} is removed.`,
    changes: [['contacts']],
  });
  return (
    <Page title="Contacts" description="Whom to reach in an incident. Each is tested regularly and confirms by a link.">
      <SpaceBetween size="m">
        <ProblemAlert error={contacts.error ?? test.error ?? remove.error} />
        <Table<Contact>
          variant="container"
          wrapLines
          loading={contacts.isPending}
          loadingText="Loading contacts"
          items={contacts.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Contacts' }}
          header={
            <Header
              counter={`(${contacts.data?.length ?? 0})`}
              actions={
                mayWrite ? (
                  <Button variant="primary" onClick={() => setAdding(true)}>
                    Add contact
                  </Button>
                ) : null
              }
            >
              Contacts
            </Header>
          }
          columnDefinitions={[
            { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
            {
              id: 'kind',
              header: 'Kind',
              cell: (row) => KINDS.find(({ value }) => value === row.kind)?.label ?? row.kind,
            },
            { id: 'about', header: 'About', cell: (row) => row.about || '-' },
            {
              id: 'steps',
              header: 'How',
              cell: (row) => row.steps.map(({ channel, to }) => to.join(', ') || channel).join(', then '),
            },
            {
              id: 'state',
              header: 'Last confirmed',
              cell: (row) =>
                row.confirmedAt === null ? (
                  <StatusIndicator type={row.testedAt === null ? 'pending' : 'warning'}>
                    {row.testedAt === null ? 'Never tested' : 'Tested, not confirmed'}
                  </StatusIndicator>
                ) : (
                  <StatusIndicator type={row.isReachable ? 'success' : 'warning'}>
                    <Ago at={row.confirmedAt} /> by {row.confirmedBy}
                  </StatusIndicator>
                ),
            },
            ...(mayWrite
              ? [
                  {
                    id: 'act',
                    header: 'Action',
                    cell: (row: Contact) => (
                      <SpaceBetween direction="horizontal" size="xs">
                        <Button variant="inline-link" ariaLabel={`Test ${row.name}`} onClick={() => test.mutate(row)}>
                          Test
                        </Button>
                        <Button
                          variant="inline-link"
                          ariaLabel={`Remove ${row.name}`}
                          onClick={() => remove.mutate(row)}
                        >
                          Remove
                        </Button>
                      </SpaceBetween>
                    ),
                  },
                ]
              : []),
          ]}
          empty={
            <Box textAlign="center" padding="m" color="text-body-secondary">
              None yet.
            </Box>
          }
        />
      </SpaceBetween>
      {isAdding ? <ContactForm onClose={() => setAdding(false)} /> : null}
    </Page>
  );
}

function ContactForm({ onClose }: { readonly onClose: () => void }) {
  const channels = useQuery(channelsQuery).data ?? [];
  const [kind, setKind] = useState<(typeof KINDS)[number]>(KINDS[0]);
  const [draft, setDraft] = useState({ name: '', about: '', channel: '', to: '', noticeHours: '' });
  const set = (part: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...part }));
  const save = useCommand<void, unknown>({
    run: async () => {
      const { name, about, channel } = draft;
      const to = draft.to.split(/[\s,]+/).filter((one) => one !== '');
      const noticeHours = draft.noticeHours === '' ? null : Number(draft.noticeHours);
      const body = { kind: kind.value, name, about, noticeHours, steps: [{ channel, to }] };
      return taken(await api.POST('/api/v1/contacts', { body }));
    },
    done: `${draft.name} is added.`,
    changes: [['contacts']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Add a contact"
      button="Add"
      isReady={draft.name !== '' && draft.channel !== ''}
      command={save}
      onClose={onClose}
    >
      <FormField label="Kind">
        <Select
          selectedOption={kind}
          options={KINDS}
          onChange={({ detail }) => setKind(KINDS.find(({ value }) => value === detail.selectedOption.value) ?? kind)}
        />
      </FormField>
      <FormField label="Name">
        <Input value={draft.name} onChange={({ detail }) => set({ name: detail.value })} />
      </FormField>
      <FormField label="About" description="The vendor, the app, or the recipient of a duty such as ico-uk">
        <Input value={draft.about} onChange={({ detail }) => set({ about: detail.value })} />
      </FormField>
      <FormField label="Channel">
        <Select
          placeholder="Choose a channel"
          selectedOption={draft.channel === '' ? null : { value: draft.channel, label: draft.channel }}
          options={channels.map(({ name, shown }) => ({ value: name, label: name, description: shown }))}
          onChange={({ detail }) => set({ channel: detail.selectedOption.value ?? '' })}
        />
      </FormField>
      <FormField label="Addresses" description="For mail, with commas. Further steps by the API.">
        <Input value={draft.to} onChange={({ detail }) => set({ to: detail.value })} />
      </FormField>
      {kind.value === 'customer-group' ? (
        <FormField label="Notice by contract" description="Hours after we become aware">
          <Input
            value={draft.noticeHours}
            inputMode="numeric"
            onChange={({ detail }) => set({ noticeHours: detail.value })}
          />
        </FormField>
      ) : null}
    </FormDialog>
  );
}
