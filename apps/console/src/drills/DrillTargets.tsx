import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { DrillTarget } from '../api/wire.ts';
import { Confirm } from '../display/Confirm.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { targetsQuery } from './drill-queries.ts';

/** Apps of the estate that somebody said are an emulator or a test system; no other app is ever attacked. */
export function DrillTargets() {
  const targets = useQuery(targetsQuery);
  const [isAdding, setAdding] = useState(false);
  const [removed, setRemoved] = useState<DrillTarget | null>(null);
  const remove = useCommand<DrillTarget, unknown>({
    run: async ({ app }) => taken(await api.DELETE('/api/v1/drill-targets/{app}', { params: { path: { app } } })),
    changes: [['drill-targets']],
    onDone: () => setRemoved(null),
  });
  return (
    <SpaceBetween size="m">
      <ProblemAlert error={targets.error} />
      <Table<DrillTarget>
        variant="container"
        wrapLines
        loading={targets.isPending}
        loadingText="Loading test systems"
        items={targets.data ?? []}
        trackBy="appId"
        ariaLabels={{ tableLabel: 'Test systems' }}
        header={
          <Header
            description="A live fire can steal a token to these apps instead of to an emulator of its own."
            actions={<Button onClick={() => setAdding(true)}>Mark an app</Button>}
          >
            Test systems
          </Header>
        }
        columnDefinitions={[
          { id: 'app', header: 'App', isRowHeader: true, cell: (row) => row.app },
          { id: 'operation', header: 'Granted', cell: (row) => row.operation },
          { id: 'path', header: 'Read', cell: (row) => row.path },
          { id: 'by', header: 'Marked by', cell: (row) => row.madeBy },
          { id: 'why', header: 'Why', cell: (row) => row.reason },
          {
            id: 'remove',
            header: 'Action',
            cell: (row) => (
              <Button variant="inline-link" ariaLabel={`Take the mark from ${row.app}`} onClick={() => setRemoved(row)}>
                Take away
              </Button>
            ),
          },
        ]}
        empty={<Box color="text-body-secondary">No app is marked; live fires use an emulator of their own.</Box>}
      />
      {isAdding ? <TargetForm onClose={() => setAdding(false)} /> : null}
      {removed ? (
        <Confirm
          title={`Take the mark from ${removed.app}?`}
          text="No drill steals a token to it from now on."
          button="Take away"
          command={remove}
          input={removed}
          onClose={() => setRemoved(null)}
        />
      ) : null}
    </SpaceBetween>
  );
}

const FIELDS = [
  ['app', 'App', 'Its name. Never one that holds real data.'],
  ['operation', 'Granted operation', 'The one read that the drill’s integration may call.'],
  ['path', 'Path', 'A path of it that answers, such as /repos/acme/shop/issues.'],
  ['reason', 'Why no harm is done', ''],
] as const;

function TargetForm({ onClose }: { readonly onClose: () => void }) {
  const [draft, setDraft] = useState({ app: '', operation: '', path: '', reason: '' });
  const save = useCommand<void, unknown>({
    run: async () => taken(await api.PUT('/api/v1/drill-targets', { body: draft })),
    changes: [['drill-targets']],
    onDone: onClose,
  });
  const isReady = FIELDS.every(([key]) => draft[key].trim() !== '');
  return (
    <FormDialog
      title="Mark an app as a test system"
      button="Mark it"
      isReady={isReady}
      command={save}
      onClose={onClose}
    >
      {FIELDS.map(([key, label, description]) => (
        <FormField key={key} label={label} description={description}>
          <Input value={draft[key]} onChange={({ detail }) => setDraft({ ...draft, [key]: detail.value })} />
        </FormField>
      ))}
    </FormDialog>
  );
}
