import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import DatePicker from '@cloudscape-design/components/date-picker';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { EventRetention } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';

const GB = 1e9;
const CHANGES = [['event-retention'], ['audit']];

interface Preview {
  readonly events: number;
  readonly held: number;
}

/** A rule, with what it would delete now before it is made. */
export function RuleForm({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [query, setQuery] = useState('label:restricted');
  const [days, setDays] = useState('90');
  const add = useCommand<void, unknown>({
    run: async () =>
      taken(await api.POST('/api/v1/event-retention/rules', { body: { name, query, days: Number(days) } })),
    done: 'The rule runs within the hour.',
    changes: CHANGES,
    onDone: onClose,
  });
  const preview = useCommand<void, Preview>({
    run: async () => taken(await api.POST('/api/v1/event-retention/preview', { body: { query, days: Number(days) } })),
    changes: [],
  });
  const isReady = name !== '' && query.trim() !== '' && Number(days) >= 1;
  return (
    <FormDialog title="Add a retention rule" button="Add" isReady={isReady} command={add} onClose={onClose}>
      <FormField label="Name" errorText={fieldProblem(add.error, 'name')}>
        <Input value={name} autoComplete={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField
        label="Search"
        description="Such as label:restricted, app:github or data_class:*."
        errorText={fieldProblem(add.error, 'query')}
      >
        <Input value={query} onChange={({ detail }) => setQuery(detail.value)} />
      </FormField>
      <FormField label="Days" errorText={fieldProblem(add.error, 'days')}>
        <Input value={days} type="number" onChange={({ detail }) => setDays(detail.value)} />
      </FormField>
      <Button loading={preview.isPending} onClick={() => preview.mutate()}>
        Try it without deleting
      </Button>
      {preview.data ? (
        <Alert type={preview.data.events > 0 ? 'warning' : 'info'}>
          {preview.data.events.toLocaleString('en')} events would go now; {preview.data.held.toLocaleString('en')} are
          held.
        </Alert>
      ) : null}
      {preview.error ? <Alert type="error">{preview.error.message}</Alert> : null}
    </FormDialog>
  );
}

export function HoldForm({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [query, setQuery] = useState('');
  const [reason, setReason] = useState('');
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const place = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.POST('/api/v1/event-retention/holds', {
          body: {
            name,
            query,
            reason,
            ...(from !== '' && { from: Date.parse(from) }),
            ...(to !== '' && { to: Date.parse(to) }),
          },
        }),
      ),
    done: 'It stays.',
    changes: CHANGES,
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Place a legal hold"
      button="Place"
      isReady={name !== '' && reason.trim() !== ''}
      command={place}
      onClose={onClose}
    >
      <FormField label="Name" errorText={fieldProblem(place.error, 'name')}>
        <Input value={name} autoComplete={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField
        label="Search"
        description="Empty: everything in the span."
        errorText={fieldProblem(place.error, 'query')}
      >
        <Input value={query} onChange={({ detail }) => setQuery(detail.value)} />
      </FormField>
      <FormField label="What happened since">
        <DatePicker
          value={from}
          onChange={({ detail }) => setFrom(detail.value)}
          openCalendarAriaLabel={() => 'Choose the first day'}
        />
      </FormField>
      <FormField label="What happened before" errorText={fieldProblem(place.error, 'to')}>
        <DatePicker
          value={to}
          onChange={({ detail }) => setTo(detail.value)}
          openCalendarAriaLabel={() => 'Choose the last day'}
        />
      </FormField>
      <FormField label="Reason" errorText={fieldProblem(place.error, 'reason')}>
        <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

export function LiftForm({
  hold,
  onClose,
}: {
  readonly hold: EventRetention['holds'][number];
  readonly onClose: () => void;
}) {
  const [reason, setReason] = useState('');
  const lift = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.POST('/api/v1/event-retention/holds/{id}/lift', {
          params: { path: { id: hold.id } },
          body: { reason },
        }),
      ),
    done: 'What it held may go.',
    changes: CHANGES,
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Lift ${hold.name}`}
      button="Lift"
      isReady={reason.trim().length > 2}
      command={lift}
      onClose={onClose}
    >
      <FormField label="Reason" errorText={fieldProblem(lift.error, 'reason')}>
        <Input value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

export function SizeForm({ bytesMax, onClose }: { readonly bytesMax: number | null; readonly onClose: () => void }) {
  const [gigabytes, setGigabytes] = useState(bytesMax === null ? '' : String(bytesMax / GB));
  const limit = useCommand<void, unknown>({
    run: async () =>
      taken(
        await api.PUT('/api/v1/event-retention/size', {
          body: { bytesMax: gigabytes === '' ? null : Math.round(Number(gigabytes) * GB) },
        }),
      ),
    done: 'The size is limited as you said.',
    changes: CHANGES,
    onDone: onClose,
  });
  return (
    <FormDialog title="Limit the size" button="Set" command={limit} onClose={onClose}>
      <FormField
        label="Gigabytes"
        description="Empty: no limit. The oldest days go first; what is held stays."
        errorText={fieldProblem(limit.error, 'bytesMax')}
      >
        <Input value={gigabytes} type="number" onChange={({ detail }) => setGigabytes(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
