import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import type { ActionRun, Connector } from './connector-queries.ts';
import { JsonText, RunState } from './ConnectorStates.tsx';

const POLL_MS = 400;
const WAIT_MS_MAX = 60_000;

type Values = Readonly<Record<string, string>>;
type Field = Connector['actions'][number]['input'][number];

/** As the action wants it; a text that is no number goes as it is, and the server says so. */
function inputOf(fields: readonly Field[], values: Values): Record<string, unknown> {
  const filled = fields.filter(({ name }) => (values[name] ?? '') !== '');
  return Object.fromEntries(
    filled.map(({ name, kind }) => {
      const text = values[name] ?? '';
      if (kind === 'number') return [name, Number(text)];
      if (kind === 'boolean') return [name, text === 'true'];
      return [name, kind === 'json' ? (JSON.parse(text) as unknown) : text];
    }),
  );
}

async function waitForEnd(id: string): Promise<ActionRun> {
  const params = { path: { id } };
  for (let waited = 0; ; waited += POLL_MS) {
    const run = taken(await api.GET('/api/v1/connector-actions/{id}', { params }));
    if (run.endedAt !== null || waited >= WAIT_MS_MAX) return run;
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

/** Tries an action first, then does it: a run is offered only after its dry run. */
export function ActionForm({
  connectionId,
  action,
  onClose,
}: {
  readonly connectionId: string;
  readonly action: Connector['actions'][number];
  readonly onClose: () => void;
}) {
  const [values, setValues] = useState<Values>({});
  const [shown, setShown] = useState<ActionRun | null>(null);
  const [key] = useState(() => crypto.randomUUID());
  const command = useCommand<'dry-run' | 'run', ActionRun>({
    run: async (mode) => {
      const body = {
        action: action.name,
        mode,
        input: inputOf(action.input, values),
        // The run has one key: pressing twice does it once. A dry run may be repeated.
        idempotencyKey: mode === 'run' ? key : crypto.randomUUID(),
      };
      const asked = taken(
        await api.POST('/api/v1/connections/{id}/actions', { params: { path: { id: connectionId } }, body }),
      );
      return waitForEnd(asked.id);
    },
    changes: [['connections', connectionId, 'actions'], ['audit']],
    onDone: setShown,
  });
  const isFilled = action.input.every(({ name, required }) => !required || (values[name] ?? '') !== '');
  const canRun = shown?.mode === 'dry-run' && shown.outcome === 'would_run';
  return (
    <Modal
      visible
      size="large"
      header={action.title}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              {shown?.mode === 'run' ? 'Close' : 'Cancel'}
            </Button>
            <Button disabled={!isFilled} loading={command.isPending} onClick={() => command.mutate('dry-run')}>
              Dry run
            </Button>
            <Button variant="primary" disabled={!canRun || command.isPending} onClick={() => command.mutate('run')}>
              Do it
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <ProblemAlert error={command.error} />
        {action.canUndo ? null : <Alert type="warning">There is no way back. {action.undoNote}</Alert>}
        {action.input.map((field) => (
          <FormField key={field.name} label={field.required ? field.title : `${field.title} (optional)`}>
            <Input
              value={values[field.name] ?? ''}
              autoComplete={false}
              onChange={({ detail }) => {
                setValues({ ...values, [field.name]: detail.value });
                setShown(null);
              }}
            />
          </FormField>
        ))}
        {shown ? (
          <SpaceBetween size="xs">
            <RunState run={shown} />
            <Box>{shown.summary}</Box>
            {shown.state === null || shown.state === undefined ? null : <JsonText value={shown.state} />}
          </SpaceBetween>
        ) : null}
      </SpaceBetween>
    </Modal>
  );
}
