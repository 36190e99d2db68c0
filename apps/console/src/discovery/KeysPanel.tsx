import Badge from '@cloudscape-design/components/badge';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { showDay } from '../display/time.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { type FoundKey, foundKeysQuery } from './discovery-queries.ts';
import { RunTable } from './RunTable.tsx';

interface Wanted {
  readonly key: FoundKey;
  readonly mode: 'rotate' | 'remove';
}

const COLOURS = { very_old: 'severity-high', old: 'severity-medium', fresh: 'severity-low' } as const;

function ActForm({ wanted: { key, mode }, onClose }: { readonly wanted: Wanted; readonly onClose: () => void }) {
  const [reason, setReason] = useState('');
  const name = key.name ?? key.externalId;
  const act = useCommand({
    run: async () => taken(await api.POST('/api/v1/discovery/keys/act', { body: { ref: key.ref, mode, reason } })),
    done: `${name}: under way.`,
    changes: [['discovery'], ['audit']],
    onDone: onClose,
  });
  const how =
    mode === 'remove'
      ? `${key.toolTitle} takes the key away at once, and Cordon checks that it is gone.`
      : key.canRotate
        ? `${key.toolTitle} makes a new key.`
        : `${key.toolTitle} has no action for it: you get a task with exact steps.`;
  const command = { isPending: act.isPending, error: act.error, mutate: () => act.mutate(undefined) };
  return (
    <FormDialog
      title={`${mode === 'remove' ? 'Remove' : 'Replace'} ${name}`}
      button={mode === 'remove' ? 'Remove the key' : 'Replace the key'}
      isReady={reason.trim().length > 2}
      command={command}
      onClose={onClose}
    >
      <Box>{how}</Box>
      <FormField label="Reason" description="Kept as evidence.">
        <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

/** Static keys in connected tools, the oldest first. */
export function KeysPanel() {
  const keys = useQuery(foundKeysQuery);
  const mayAct = useCan()('discovery.rotate');
  const [wanted, setWanted] = useState<Wanted | null>(null);
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={keys.error} />
      <Table<FoundKey>
        variant="container"
        wrapLines
        loading={keys.isPending}
        loadingText="Loading keys"
        items={keys.data?.items ?? []}
        trackBy="ref"
        ariaLabels={{ tableLabel: 'Static keys' }}
        header={
          <Header
            counter={`(${keys.data?.items.length ?? 0})`}
            description="Secrets in connected tools that stay the same until somebody changes them."
          >
            Static keys
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Key', isRowHeader: true, cell: (key) => key.name ?? key.externalId },
          { id: 'tool', header: 'Tool', cell: (key) => key.toolTitle },
          { id: 'kind', header: 'Kind', cell: (key) => key.kind.replaceAll('_', ' ') },
          {
            id: 'age',
            header: 'Age',
            cell: (key) => (
              <Badge color={COLOURS[key.age]}>{`${key.isAgeAtLeast ? 'at least ' : ''}${key.ageDays} days`}</Badge>
            ),
          },
          { id: 'used', header: 'Last used', cell: (key) => (key.lastUsedAt === null ? '—' : showDay(key.lastUsedAt)) },
          { id: 'owner', header: 'Owner', cell: (key) => key.owner ?? '—' },
          { id: 'why', header: 'Why', minWidth: 180, cell: (key) => key.why.join('; ') },
          {
            id: 'do',
            header: 'Act',
            minWidth: 150,
            cell: (key) =>
              mayAct ? (
                <SpaceBetween direction="horizontal" size="xs">
                  <Button
                    variant="inline-link"
                    ariaLabel={`Replace ${key.name ?? key.externalId}`}
                    onClick={() => setWanted({ key, mode: 'rotate' })}
                  >
                    Replace
                  </Button>
                  {key.canRemove ? (
                    <Button
                      variant="inline-link"
                      ariaLabel={`Remove ${key.name ?? key.externalId}`}
                      onClick={() => setWanted({ key, mode: 'remove' })}
                    >
                      Remove
                    </Button>
                  ) : null}
                </SpaceBetween>
              ) : null,
          },
        ]}
        empty={<Box color="text-body-secondary">No connected tool shows a static key.</Box>}
      />
      <RunTable title="What was done about keys" runs={keys.data?.runs ?? []} />
      {wanted ? <ActForm wanted={wanted} onClose={() => setWanted(null)} /> : null}
    </SpaceBetween>
  );
}
