import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Toggle from '@cloudscape-design/components/toggle';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import type { SignInPolicySet } from '../api/wire.ts';
import { NetworksTable } from './NetworksTable.tsx';
import { MODES, PolicyDialog } from './PolicyDialog.tsx';
import { withTemplate } from './policy-draft.ts';

type Policy = SignInPolicySet['policies'][number];

/** The draft of the policies: nothing here is in force until it is put in force. */
export function SignInPolicyEditor({
  set,
  onChange,
}: {
  readonly set: SignInPolicySet;
  readonly onChange: (set: SignInPolicySet) => void;
}) {
  const [edited, setEdited] = useState<number | 'new' | null>(null);
  const templates = useQuery({
    queryKey: ['sign-in-templates'],
    queryFn: async () => taken(await api.GET('/api/v1/sign-in-policy/templates')).items,
  });
  const found = typeof edited === 'number' ? (set.policies[edited] ?? null) : null;
  const save = (policy: Policy): void => {
    const policies =
      found === null ? [...set.policies, policy] : set.policies.map((one) => (one === found ? policy : one));
    onChange({ ...set, policies });
    setEdited(null);
  };
  return (
    <SpaceBetween size="l">
      <Container header={<Header variant="h2">When no policy says otherwise</Header>}>
        <Toggle checked={set.base} onChange={({ detail }) => onChange({ ...set, base: detail.checked })}>
          People who have an account sign in
        </Toggle>
        <Box color="text-body-secondary" fontSize="body-s">
          Off: nobody signs in but whom a permit of yours names. Break-glass accounts are held by no policy.
        </Box>
      </Container>
      <Table<Policy>
        variant="container"
        wrapLines
        items={set.policies}
        trackBy="name"
        ariaLabels={{ tableLabel: 'Policies' }}
        header={
          <Header
            variant="h2"
            actions={
              <SpaceBetween direction="horizontal" size="xs">
                <ButtonDropdown
                  items={(templates.data ?? []).map(({ name, title, description }) => ({
                    id: name,
                    text: title,
                    description,
                  }))}
                  onItemClick={({ detail }) => {
                    const template = templates.data?.find(({ name }) => name === detail.id);
                    if (template) onChange(withTemplate(set, template));
                  }}
                >
                  From a template
                </ButtonDropdown>
                <Button onClick={() => setEdited('new')}>Write one</Button>
              </SpaceBetween>
            }
          >
            Policies
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Policy', isRowHeader: true, cell: (one) => one.name },
          {
            id: 'mode',
            header: 'Mode',
            cell: (one) => MODES.find(({ value }) => value === one.mode)?.label ?? one.mode,
          },
          { id: 'lines', header: 'Lines', cell: (one) => one.text.split('\n').length },
          {
            id: 'action',
            header: 'Action',
            cell: (one) => (
              <SpaceBetween direction="horizontal" size="xs">
                <Button
                  variant="inline-link"
                  ariaLabel={`Edit ${one.name}`}
                  onClick={() => setEdited(set.policies.indexOf(one))}
                >
                  Edit
                </Button>
                <Button
                  variant="inline-link"
                  ariaLabel={`Take out ${one.name}`}
                  onClick={() => onChange({ ...set, policies: set.policies.filter((other) => other !== one) })}
                >
                  Take out
                </Button>
              </SpaceBetween>
            ),
          },
        ]}
        empty={<Box color="text-body-secondary">None. Begin with a template.</Box>}
      />
      <NetworksTable networks={set.networks} onChange={(networks) => onChange({ ...set, networks })} />
      {edited === null ? null : (
        <PolicyDialog
          policy={found}
          taken={set.policies.flatMap(({ name }) => (name === found?.name ? [] : [name]))}
          onSave={save}
          onClose={() => setEdited(null)}
        />
      )}
    </SpaceBetween>
  );
}
