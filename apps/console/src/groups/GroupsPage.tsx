import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Group } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { groupsQuery } from './group-queries.ts';
import { PersonSelect } from './PersonSelect.tsx';

function GroupForm({ onClose }: { readonly onClose: () => void }) {
  const [displayName, setName] = useState('');
  const [description, setDescription] = useState('');
  const [ownerId, setOwner] = useState<string | null>(null);
  const make = useCommand<void, unknown>({
    run: async () => taken(await api.POST('/api/v1/groups', { body: { displayName, description, ownerId } })),
    done: `The group ${displayName} is made.`,
    changes: [['groups'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog title="Make a group" button="Make" isReady={displayName.trim() !== ''} command={make} onClose={onClose}>
      <FormField label="Name" errorText={fieldProblem(make.error, 'displayName')}>
        <Input value={displayName} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="What it is for">
        <Textarea rows={2} value={description} onChange={({ detail }) => setDescription(detail.value)} />
      </FormField>
      <PersonSelect
        label="Owner"
        description="Approves whoever asks to come in for a while."
        none="Any owner of Cordon"
        value={ownerId}
        onChange={setOwner}
      />
    </FormDialog>
  );
}

export function GroupsPage() {
  const can = useCan();
  const [isMaking, setMaking] = useState(false);
  const groups = useQuery(groupsQuery);
  return (
    <Page title="Groups" description="Who belongs together, and what that gives: roles, apps, accounts in tools.">
      <ProblemAlert error={groups.error} />
      <Table<Group>
        variant="container"
        wrapLines
        loading={groups.isPending}
        loadingText="Loading groups"
        items={groups.data ?? []}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Groups' }}
        header={
          <Header
            counter={`(${groups.data?.length ?? 0})`}
            actions={
              can('person.write') ? (
                <Button variant="primary" onClick={() => setMaking(true)}>
                  Make a group
                </Button>
              ) : null
            }
          >
            Groups
          </Header>
        }
        columnDefinitions={[
          {
            id: 'name',
            header: 'Group',
            isRowHeader: true,
            cell: (row) => <RouteLink href={`/groups/${row.id}`}>{row.displayName || 'Without a name'}</RouteLink>,
          },
          { id: 'kept', header: 'Kept by', cell: (row) => (row.keptBy === 'cordon' ? 'Cordon' : 'the directory') },
          { id: 'members', header: 'Members', cell: (row) => row.members },
          { id: 'roles', header: 'Roles here', cell: (row) => row.roles.join(', ') || '-' },
          { id: 'owner', header: 'Owner', cell: (row) => row.owner?.name ?? '-' },
        ]}
        empty={
          <Box color="text-body-secondary">
            No groups yet. Make one here, or let the directory bring its own over SCIM.
          </Box>
        }
      />
      {isMaking ? <GroupForm onClose={() => setMaking(false)} /> : null}
    </Page>
  );
}
