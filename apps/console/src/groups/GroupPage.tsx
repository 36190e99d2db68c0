import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { RolePicker } from '../admin/RolePicker.tsx';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Group, GroupMember, Role } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { useCan } from '../session/session-query.ts';
import { Page } from '../shell/Page.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { showEntitlement } from './AccessChanges.tsx';
import { groupQuery } from './group-queries.ts';
import { MemberForm, RemoveGroupForm } from './MemberForm.tsx';

const BY: Readonly<Record<GroupMember['by'][number], string>> = {
  directory: 'the directory',
  provider: 'the provider',
  hand: 'by hand',
  elevation: 'for a while',
};

function RolesForm({ group, onClose }: { readonly group: Group; readonly onClose: () => void }) {
  const [roles, setRoles] = useState<readonly Role[]>(group.roles);
  const save = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.PUT('/api/v1/groups/{id}/roles', { params: { path: { id: group.id } }, body: { roles: [...roles] } }),
      ),
    done: `Members of ${group.displayName} have these roles now.`,
    changes: [['groups'], ['people'], ['leavers'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog title={`Roles that ${group.displayName} gives`} button="Save" command={save} onClose={onClose}>
      <RolePicker roles={roles} onChange={setRoles} />
    </FormDialog>
  );
}

type Dialog = 'add' | 'roles' | 'remove' | { readonly id: string; readonly name: string };

export function GroupPage() {
  const { id } = useParams({ from: '/inside/groups/$id' });
  const can = useCan();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const found = useQuery(groupQuery(id));
  const members = useQuery({
    queryKey: ['groups', id, 'members'],
    queryFn: async () =>
      taken(await api.GET('/api/v1/groups/{id}/members', { params: { path: { id }, query: {} } })).people,
  });
  const group = found.data;
  const mayWrite = can('person.write');
  const isOurs = group?.keptBy === 'cordon';
  const close = (): void => setDialog(null);
  return (
    <Page
      title={group?.displayName ?? 'Group'}
      description={group?.description === '' ? 'Who is in, and what that gives.' : group?.description}
      parents={[{ text: 'Groups', href: '/groups' }]}
      actions={
        mayWrite && group ? (
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={() => setDialog('roles')}>Change roles</Button>
            {isOurs ? <Button onClick={() => setDialog('remove')}>Remove the group</Button> : null}
          </SpaceBetween>
        ) : null
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={found.error ?? members.error} />
        {group ? (
          <Container header={<Header variant="h2">What being in it gives</Header>}>
            <KeyValuePairs
              columns={4}
              items={[
                { label: 'Kept by', value: isOurs ? 'Cordon' : 'the directory' },
                { label: 'Owner', value: group.owner?.name ?? 'any owner of Cordon' },
                { label: 'Roles here', value: group.roles.join(', ') || 'none' },
                {
                  label: 'Apps and tools',
                  value:
                    group.gives
                      .filter(({ kind }) => kind !== 'role')
                      .map(showEntitlement)
                      .join(', ') || 'none',
                },
              ]}
            />
          </Container>
        ) : null}
        <Table<GroupMember>
          variant="container"
          wrapLines
          loading={members.isPending}
          loadingText="Loading members"
          items={members.data ?? []}
          trackBy="id"
          ariaLabels={{ tableLabel: 'Members' }}
          header={
            <Header
              counter={`(${group?.members ?? 0})`}
              description={isOurs ? undefined : 'The directory decides who is in.'}
              actions={mayWrite && isOurs ? <Button onClick={() => setDialog('add')}>Add somebody</Button> : null}
            >
              Members
            </Header>
          }
          columnDefinitions={[
            {
              id: 'name',
              header: 'Name',
              isRowHeader: true,
              cell: (row) => <RouteLink href={`/people/${row.id}`}>{row.name}</RouteLink>,
            },
            { id: 'login', header: 'Signs in as', cell: (row) => row.login },
            { id: 'status', header: 'Status', cell: (row) => row.status },
            { id: 'by', header: 'Came in', cell: (row) => row.by.map((one) => BY[one]).join(', ') },
            { id: 'ends', header: 'Ends', cell: (row) => <Ago at={row.endsAt} none="not by itself" /> },
            {
              id: 'act',
              header: '',
              cell: (row) =>
                mayWrite && isOurs && row.by.includes('hand') ? (
                  <Button variant="inline-link" ariaLabel={`Take ${row.name} out`} onClick={() => setDialog(row)}>
                    Take out
                  </Button>
                ) : null,
            },
          ]}
          empty={<Box color="text-body-secondary">Nobody is in it.</Box>}
        />
      </SpaceBetween>
      {group && dialog === 'roles' ? <RolesForm group={group} onClose={close} /> : null}
      {group && dialog === 'add' ? <MemberForm group={group} leaving={null} onClose={close} /> : null}
      {group && dialog !== null && typeof dialog === 'object' ? (
        <MemberForm group={group} leaving={dialog} onClose={close} />
      ) : null}
      {group && dialog === 'remove' ? (
        <RemoveGroupForm group={group} onClose={close} onDone={() => void navigate({ to: '/groups' })} />
      ) : null}
    </Page>
  );
}
