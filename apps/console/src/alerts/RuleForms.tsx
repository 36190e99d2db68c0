import Alert from '@cloudscape-design/components/alert';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Detection } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { backtestQuery } from './rule-queries.ts';

const DAY_MS = 86_400_000;
const SPANS = [
  { value: '7', label: 'A week' },
  { value: '30', label: 'Thirty days' },
  { value: '90', label: 'Ninety days' },
  { value: '365', label: 'A year' },
];

/** Switches a rule; before it is switched on, says whether it would have fired too often. */
export function RuleSwitch({ rule, onClose }: { readonly rule: Detection; readonly onClose: () => void }) {
  const isOn = rule.enabled;
  const [reason, setReason] = useState('');
  const backtest = useQuery(backtestQuery(rule.id, !isOn && rule.kind === 'rule'));
  const set = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.PUT('/api/v1/detections/{id}/setting', {
          params: { path: { id: rule.id } },
          body: { enabled: !isOn, reason },
        }),
      ),
    done: isOn ? 'The rule is off.' : 'The rule is on.',
    changes: [['detections'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={isOn ? 'Switch the rule off' : 'Switch the rule on'}
      button={isOn ? 'Switch off' : 'Switch on'}
      isReady={reason.trim() !== '' && !backtest.isFetching}
      command={set}
      onClose={onClose}
    >
      {backtest.isFetching ? <StatusIndicator type="loading">Trying it on the last thirty days</StatusIndicator> : null}
      {backtest.data?.warning ? (
        <Alert type="warning" header="It would have fired too often">
          {backtest.data.warning}
        </Alert>
      ) : null}
      {backtest.data && backtest.data.warning === null ? (
        <Alert type="info">In the last thirty days it would have fired {backtest.data.hits} times.</Alert>
      ) : null}
      <FormField label="Reason" errorText={fieldProblem(set.error, 'reason')}>
        <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

/** Keeps a rule quiet about somebody, or everybody, until a day. */
export function RuleExceptionForm({ rule, onClose }: { readonly rule: Detection; readonly onClose: () => void }) {
  const [entity, setEntity] = useState('');
  const [reason, setReason] = useState('');
  const [days, setDays] = useState('30');
  const make = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.POST('/api/v1/detections/{id}/exceptions', {
          params: { path: { id: rule.id } },
          body: {
            reason,
            expiresAt: Date.now() + Number(days) * DAY_MS,
            ...(entity.trim() === '' ? {} : { entity: entity.trim() }),
          },
        }),
      ),
    done: 'The exception holds from now on.',
    changes: [['detections'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog title="Make an exception" button="Make" isReady={reason.trim() !== ''} command={make} onClose={onClose}>
      <FormField
        label="About"
        description="As alerts show it, such as person:ada@example.com. Empty: about everybody."
        errorText={fieldProblem(make.error, 'entity')}
      >
        <Input value={entity} onChange={({ detail }) => setEntity(detail.value)} />
      </FormField>
      <FormField label="Reason" errorText={fieldProblem(make.error, 'reason')}>
        <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
      <FormField label="Ends after">
        <Select
          options={SPANS}
          selectedOption={SPANS.find(({ value }) => value === days) ?? null}
          onChange={({ detail }) => setDays(detail.selectedOption.value ?? '30')}
        />
      </FormField>
    </FormDialog>
  );
}
