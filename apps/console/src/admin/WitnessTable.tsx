import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Table from '@cloudscape-design/components/table';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Witness } from '../api/wire.ts';
import { Ago } from '../display/Ago.tsx';
import { Confirm } from '../display/Confirm.tsx';
import { FormDialog } from '../display/FormDialog.tsx';
import { showCount } from '../display/number.ts';
import { useCan } from '../session/session-query.ts';

const CHANGES = [['proof'], ['audit']];

function WitnessState({ witness, size }: { readonly witness: Witness; readonly size: number }) {
  const [state] = witness.logs;
  if (!state) return <StatusIndicator type="pending">not asked yet</StatusIndicator>;
  if (state.error !== null) return <StatusIndicator type="error">{state.error}</StatusIndicator>;
  return (
    <StatusIndicator type={state.size === size ? 'success' : 'in-progress'}>
      {showCount(state.size)} records{state.cosignedAt === null ? null : <>, {<Ago at={state.cosignedAt} />}</>}
    </StatusIndicator>
  );
}

function WitnessForm({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [url, setUrl] = useState('');
  const [vkey, setVkey] = useState('');
  const add = useCommand({
    run: async () => taken(await api.POST('/api/v1/proof/witnesses', { body: { name, url, vkey: vkey.trim() } })),
    done: `${name} is asked to cosign within a minute.`,
    changes: CHANGES,
    onDone: onClose,
  });
  const command = { isPending: add.isPending, error: add.error, mutate: () => add.mutate(undefined) };
  const isReady = name !== '' && url !== '' && vkey !== '';
  return (
    <FormDialog title="Add a witness" button="Add" isReady={isReady} command={command} onClose={onClose}>
      <FormField label="Name" errorText={fieldProblem(add.error, 'name')}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Address" description="The submission prefix; /add-checkpoint is appended.">
        <Input value={url} placeholder="https://witness.example.com" onChange={({ detail }) => setUrl(detail.value)} />
      </FormField>
      <FormField label="Verifier key" description="name+8 hex digits+base64, as its operator publishes it.">
        <Input value={vkey} onChange={({ detail }) => setVkey(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

/** Who cosigns the checkpoints, and up to where. */
export function WitnessTable({ witnesses, size }: { readonly witnesses: readonly Witness[]; readonly size: number }) {
  const can = useCan();
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<Witness | null>(null);
  const remove = useCommand({
    run: async (id: string) => taken(await api.DELETE('/api/v1/proof/witnesses/{id}', { params: { path: { id } } })),
    done: 'The witness is asked no longer.',
    changes: CHANGES,
    onDone: () => setLeaving(null),
  });
  const mayChange = can('system.write');
  return (
    <>
      <Table<Witness>
        variant="embedded"
        contentDensity="compact"
        items={witnesses}
        trackBy="id"
        ariaLabels={{ tableLabel: 'Witnesses' }}
        header={
          <Header
            variant="h3"
            description="Others who cosign each checkpoint: with one, even Cordon's operators can't redo the log unseen."
            actions={mayChange ? <Button onClick={() => setAdding(true)}>Add a witness</Button> : null}
          >
            Witnesses
          </Header>
        }
        columnDefinitions={[
          { id: 'name', header: 'Name', isRowHeader: true, cell: (row) => row.name },
          { id: 'url', header: 'Address', cell: (row) => row.url },
          { id: 'state', header: 'Cosigned', cell: (row) => <WitnessState witness={row} size={size} /> },
          ...(mayChange
            ? [
                {
                  id: 'remove',
                  header: '',
                  cell: (row: Witness) => (
                    <Button variant="inline-link" ariaLabel={`Remove ${row.name}`} onClick={() => setLeaving(row)}>
                      Remove
                    </Button>
                  ),
                },
              ]
            : []),
        ]}
        empty={
          <Box color="text-body-secondary">
            None. Whoever keeps a checkpoint by hand can still prove that nothing before it changed.
          </Box>
        }
      />
      {adding ? <WitnessForm onClose={() => setAdding(false)} /> : null}
      {leaving ? (
        <Confirm
          title={`Remove ${leaving.name}`}
          text="It is asked no longer. What it cosigned stays."
          button="Remove"
          command={remove}
          input={leaving.id}
          onClose={() => setLeaving(null)}
        />
      ) : null}
    </>
  );
}
