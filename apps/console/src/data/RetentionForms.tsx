import DatePicker from '@cloudscape-design/components/date-picker';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { LABELS, type RetentionRule } from './data-queries.ts';

interface FormProps {
  readonly onClose: () => void;
}

const changes = [['retention'], ['audit']] as const;
const REASON_MIN = 3;
const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

const ACTIONS = [
  { value: 'report', label: 'Report', description: 'Say what is too old; change nothing.' },
  { value: 'delete', label: 'Delete', description: "By the tool's own action, verified by reading again." },
  { value: 'anonymise', label: 'Anonymise', description: 'The record stays, its text goes.' },
] as const;
const CLOCKS = [
  { value: 'createdAt', label: 'When it was made' },
  { value: 'updatedAt', label: 'When it was changed last' },
] as const;
const LABEL_OPTIONS = [
  { value: '', label: 'Any label' },
  ...LABELS.map((label) => ({ value: label as string, label: `${label} or higher` })),
];

/** Adds a rule, or changes the one that is given. */
export function RuleForm({ rule, onClose }: FormProps & { readonly rule?: RetentionRule }) {
  const known = rule?.settings;
  const [draft, setDraft] = useState({
    name: rule?.name ?? '',
    app: known?.app ?? '',
    object: known?.object ?? '',
    category: known?.category ?? '',
    days: String(known?.days ?? 365),
    limit: String(known?.approvalAbove ?? 100),
  });
  const [label, setLabel] = useState<string>(known?.label ?? '');
  const [action, setAction] = useState<(typeof ACTIONS)[number]['value']>(known?.action ?? 'report');
  const [clock, setClock] = useState<(typeof CLOCKS)[number]['value']>(known?.clock ?? 'createdAt');
  const add = useCommand({
    run: async () => {
      const settings = {
        ...known,
        app: orNull(draft.app),
        object: orNull(draft.object),
        category: orNull(draft.category),
        label: LABELS.find((one) => one === label) ?? null,
        clock,
        days: Number(draft.days),
        action,
        approvalAbove: Number(draft.limit),
      };
      const body = { name: draft.name, settings };
      if (rule) {
        taken(await api.PUT('/api/v1/retention/rules/{id}', { params: { path: { id: rule.id } }, body }));
        return;
      }
      taken(await api.POST('/api/v1/retention/rules', { body }));
    },
    done: rule
      ? 'The rule is changed; what a run planned stays as planned.'
      : 'The rule is added. Open it for a dry run.',
    changes,
    onDone: onClose,
  });
  const field = (key: keyof typeof draft, title: string, description?: string) => (
    <FormField label={title} description={description}>
      <Input value={draft[key]} onChange={({ detail }) => setDraft({ ...draft, [key]: detail.value })} />
    </FormField>
  );
  const isReady = draft.name.trim() !== '' && Number(draft.days) > 0 && Number(draft.limit) >= 0;
  return (
    <FormDialog
      title={rule ? `Change ${rule.name}` : 'Add a retention rule'}
      button={rule ? 'Save' : 'Add'}
      isReady={isReady}
      command={{ isPending: add.isPending, error: add.error, mutate: () => add.mutate(undefined) }}
      onClose={onClose}
    >
      {field('name', 'Name')}
      {field('app', 'App', 'Empty: any.')}
      {field('object', 'Data set', 'As in the inventory; empty: any.')}
      <FormField label="Label">
        <Select
          options={LABEL_OPTIONS}
          selectedOption={LABEL_OPTIONS.find(({ value }) => value === label) ?? null}
          onChange={({ detail }) => setLabel(detail.selectedOption.value ?? '')}
        />
      </FormField>
      {field('category', 'Category', 'Such as user.contact; empty: any.')}
      <FormField label="Counted from">
        <Select
          options={CLOCKS}
          selectedOption={CLOCKS.find(({ value }) => value === clock) ?? null}
          onChange={({ detail }) =>
            setClock(CLOCKS.find(({ value }) => value === detail.selectedOption.value)?.value ?? 'createdAt')
          }
        />
      </FormField>
      {field('days', 'Days')}
      <FormField label="Action">
        <Select
          options={ACTIONS}
          selectedOption={ACTIONS.find(({ value }) => value === action) ?? null}
          onChange={({ detail }) =>
            setAction(ACTIONS.find(({ value }) => value === detail.selectedOption.value)?.value ?? 'report')
          }
        />
      </FormField>
      {field('limit', 'Another person approves above', 'Records that a run would act on.')}
    </FormDialog>
  );
}

function ScopeFields(props: {
  readonly scope: { readonly app: string; readonly object: string; readonly recordId: string };
  readonly onChange: (scope: { app: string; object: string; recordId: string }) => void;
}) {
  const { scope, onChange } = props;
  const keys = [
    ['app', 'App', 'Empty: any.'],
    ['object', 'Data set', 'Empty: any.'],
    ['recordId', 'Record', "The tool's own id; empty: all."],
  ] as const;
  return keys.map(([key, title, description]) => (
    <FormField key={key} label={title} description={description}>
      <Input value={scope[key]} onChange={({ detail }) => onChange({ ...scope, [key]: detail.value })} />
    </FormField>
  ));
}

const NO_SCOPE = { app: '', object: '', recordId: '' };
const scopeOf = (scope: typeof NO_SCOPE) => ({
  app: orNull(scope.app),
  object: orNull(scope.object),
  recordId: orNull(scope.recordId),
});

export function HoldForm({ onClose }: FormProps) {
  const [name, setName] = useState('');
  const [reason, setReason] = useState('');
  const [scope, setScope] = useState(NO_SCOPE);
  const place = useCommand({
    run: async () =>
      taken(await api.POST('/api/v1/retention/holds', { body: { name, reason, scope: scopeOf(scope) } })),
    done: 'The hold stands.',
    changes,
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Place a legal hold"
      button="Place it"
      isReady={name.trim() !== '' && reason.trim().length >= REASON_MIN}
      command={{ isPending: place.isPending, error: place.error, mutate: () => place.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Name">
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <ScopeFields scope={scope} onChange={setScope} />
      <FormField label="Reason" description="Kept as evidence.">
        <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

export function ExceptionForm({ ruleId, onClose }: FormProps & { readonly ruleId: string }) {
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState('');
  const [scope, setScope] = useState(NO_SCOPE);
  const except = useCommand({
    run: async () => {
      const body = { reason, scope: scopeOf(scope), expiresAt: Date.parse(until) };
      return taken(
        await api.POST('/api/v1/retention/rules/{id}/exceptions', { params: { path: { id: ruleId } }, body }),
      );
    },
    done: 'The exception holds until its day.',
    changes,
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Add an exception"
      button="Add"
      isReady={reason.trim().length >= REASON_MIN && until !== ''}
      command={{ isPending: except.isPending, error: except.error, mutate: () => except.mutate(undefined) }}
      onClose={onClose}
    >
      <ScopeFields scope={scope} onChange={setScope} />
      <FormField label="Ends on" description="An exception without an end is another rule.">
        <DatePicker value={until} placeholder="YYYY-MM-DD" onChange={({ detail }) => setUntil(detail.value)} />
      </FormField>
      <FormField label="Reason" description="Kept as evidence.">
        <Textarea value={reason} rows={2} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
    </FormDialog>
  );
}

/** How often a rule runs by itself. */
export function ScheduleForm({ rule, onClose }: FormProps & { readonly rule: RetentionRule }) {
  const [days, setDays] = useState(String(rule.everyDays ?? 0));
  const save = useCommand({
    run: async () => {
      const body = { everyDays: Number(days) === 0 ? null : Number(days) };
      return taken(await api.PUT('/api/v1/retention/rules/{id}/schedule', { params: { path: { id: rule.id } }, body }));
    },
    done: Number(days) === 0 ? 'It runs only when somebody asks.' : 'It runs by itself from now on.',
    changes,
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Schedule of ${rule.name}`}
      button="Save"
      isReady={Number.isInteger(Number(days)) && Number(days) >= 0}
      command={{ isPending: save.isPending, error: save.error, mutate: () => save.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField
        label="Days between two runs"
        description="0: only when somebody asks. Above the rule's limit a run waits for another person all the same."
      >
        <Input value={days} inputMode="numeric" onChange={({ detail }) => setDays(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
