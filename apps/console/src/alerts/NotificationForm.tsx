import Checkbox from '@cloudscape-design/components/checkbox';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { NotificationTarget, NotificationTargetBody } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';

type Kind = NotificationTarget['kind'];
type Level = NotificationTarget['levelMin'];

export const KIND_NAMES: Readonly<Record<Kind, string>> = {
  mail: 'Mail',
  slack: 'Slack',
  teams: 'Microsoft Teams',
  pagerduty: 'PagerDuty',
  webhook: 'Webhook',
};
const KINDS = (Object.keys(KIND_NAMES) as Kind[]).map((value) => ({ value, label: KIND_NAMES[value] })); // its own keys
const LEVELS: readonly Level[] = ['low', 'medium', 'high', 'critical'];
const LEVEL_OPTIONS = LEVELS.map((value) => ({ value, label: value }));
const PLACEHOLDERS =
  '{{event}} {{title}} {{severity}} {{entity}} {{product}} {{rule}} {{signals}} {{first_seen}} {{last_seen}} {{reason}} {{url}}';

interface Draft {
  readonly name: string;
  readonly kind: Kind;
  readonly to: string;
  readonly url: string;
  readonly routingKey: string;
  readonly addresses: string;
  readonly levelMin: Level;
  readonly tellClosed: boolean;
  readonly isQuiet: boolean;
  readonly zone: string;
  readonly from: string;
  readonly until: string;
  readonly passLevel: Level;
  readonly title: string;
  readonly text: string;
}

const EMPTY: Draft = {
  name: '',
  kind: 'mail',
  to: '',
  url: '',
  routingKey: '',
  addresses: '',
  levelMin: 'high',
  tellClosed: false,
  isQuiet: false,
  zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  from: '22:00',
  until: '07:00',
  passLevel: 'critical',
  title: '',
  text: '',
};
const split = (text: string): string[] => text.split(/[\s,]+/).filter((one) => one !== '');

/** What the API wants for what was filled in. */
function bodyOf(draft: Draft): NotificationTargetBody {
  const { name, levelMin, tellClosed, zone, from, passLevel, title, text } = draft;
  const common = {
    name,
    levelMin,
    tellClosed,
    template: title.trim() === '' && text.trim() === '' ? null : { title, text },
    quiet: draft.isQuiet ? { zone, from, to: draft.until, days: [], passLevel } : null,
  };
  if (draft.kind === 'mail') return { kind: 'mail', ...common, to: split(draft.to) };
  const privateAddresses = split(draft.addresses);
  if (draft.kind === 'pagerduty') {
    return {
      kind: 'pagerduty',
      ...common,
      routingKey: draft.routingKey,
      privateAddresses,
      ...(draft.url !== '' && { url: draft.url }),
    };
  }
  return { kind: draft.kind, ...common, url: draft.url, privateAddresses };
}

export function NotificationForm({ onClose }: { readonly onClose: () => void }) {
  const [draft, setDraft] = useState<Draft>(EMPTY);
  const set = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const add = useCommand<void, unknown>({
    run: async () => taken(await api.POST('/api/v1/notification-targets', { body: bodyOf(draft) })),
    done: 'It is told of new alerts.',
    changes: [['notifications'], ['audit']],
    onDone: onClose,
  });
  const line = (
    label: string,
    key: 'name' | 'to' | 'url' | 'routingKey' | 'addresses',
    hint?: string,
    field: string = key,
  ) => (
    <FormField label={label} description={hint} errorText={fieldProblem(add.error, field)}>
      <Input
        value={draft[key]}
        autoComplete={false}
        type={key === 'routingKey' ? 'password' : 'text'}
        onChange={({ detail }) => set({ [key]: detail.value })}
      />
    </FormField>
  );
  const where = draft.kind === 'mail' ? draft.to : draft.kind === 'pagerduty' ? draft.routingKey : draft.url;
  return (
    <FormDialog
      title="Add a notification target"
      button="Add"
      isReady={draft.name !== '' && where !== ''}
      command={add}
      onClose={onClose}
    >
      {line('Name', 'name', 'Lower-case letters, digits and dashes.')}
      <FormField label="By">
        <Select
          selectedOption={KINDS.find(({ value }) => value === draft.kind) ?? null}
          options={KINDS}
          onChange={({ detail }) => set({ kind: detail.selectedOption.value as Kind })} // one of the options
        />
      </FormField>
      {draft.kind === 'mail' ? line('To', 'to', 'Addresses, separated by commas.') : null}
      {draft.kind === 'pagerduty'
        ? line('Routing key', 'routingKey', 'Of an Events API v2 integration. Sealed; shown to nobody again.')
        : null}
      {draft.kind === 'mail' || draft.kind === 'pagerduty'
        ? null
        : line('Address', 'url', 'Sealed; only its host is shown again.')}
      {draft.kind === 'mail'
        ? null
        : line(
            'Private addresses',
            'addresses',
            'Exact addresses inside your network that it may lie at.',
            'privateAddresses',
          )}
      <LevelField label="From severity" value={draft.levelMin} onChange={(levelMin) => set({ levelMin })} />
      <Checkbox checked={draft.tellClosed} onChange={({ detail }) => set({ tellClosed: detail.checked })}>
        Tell the end of an alert too
      </Checkbox>
      <Checkbox checked={draft.isQuiet} onChange={({ detail }) => set({ isQuiet: detail.checked })}>
        Quiet hours
      </Checkbox>
      {draft.isQuiet ? <Quiet draft={draft} error={add.error} onChange={set} /> : null}
      <ExpandableSection headerText="Words of your own">
        <SpaceBetween size="m">
          <FormField label="Title" description={PLACEHOLDERS} errorText={fieldProblem(add.error, 'template.title')}>
            <Input value={draft.title} onChange={({ detail }) => set({ title: detail.value })} />
          </FormField>
          <FormField label="Text" errorText={fieldProblem(add.error, 'template.text')}>
            <Textarea rows={3} value={draft.text} onChange={({ detail }) => set({ text: detail.value })} />
          </FormField>
        </SpaceBetween>
      </ExpandableSection>
    </FormDialog>
  );
}

function LevelField(props: {
  readonly label: string;
  readonly value: Level;
  readonly onChange: (level: Level) => void;
}) {
  return (
    <FormField label={props.label}>
      <Select
        selectedOption={LEVEL_OPTIONS.find(({ value }) => value === props.value) ?? null}
        options={LEVEL_OPTIONS}
        onChange={({ detail }) => props.onChange(detail.selectedOption.value as Level)} // one of the options
      />
    </FormField>
  );
}

function Quiet({
  draft,
  error,
  onChange,
}: {
  readonly draft: Draft;
  readonly error: unknown;
  readonly onChange: (part: Partial<Draft>) => void;
}) {
  return (
    <SpaceBetween size="m">
      <FormField label="Time zone" errorText={fieldProblem(error, 'quiet.zone')}>
        <Input value={draft.zone} onChange={({ detail }) => onChange({ zone: detail.value })} />
      </FormField>
      <FormField label="From" errorText={fieldProblem(error, 'quiet.from')}>
        <Input value={draft.from} onChange={({ detail }) => onChange({ from: detail.value })} />
      </FormField>
      <FormField label="To" errorText={fieldProblem(error, 'quiet.to')}>
        <Input value={draft.until} onChange={({ detail }) => onChange({ until: detail.value })} />
      </FormField>
      <LevelField
        label="Told all the same from"
        value={draft.passLevel}
        onChange={(passLevel) => onChange({ passLevel })}
      />
    </SpaceBetween>
  );
}
