import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Contact } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { channelsQuery } from './incident-queries.ts';

export const CONTACT_KINDS = [
  { value: 'vendor', label: 'Vendor' },
  { value: 'app', label: 'App' },
  { value: 'regulator', label: 'Regulator' },
  { value: 'insurer', label: 'Insurer' },
  { value: 'customer-group', label: 'Group of customers' },
  { value: 'internal', label: 'Our own people' },
] as const;

interface StepDraft {
  readonly channel: string;
  readonly to: string;
  readonly who: string;
  readonly waitMinutes: string;
}
const NO_STEP: StepDraft = { channel: '', to: '', who: '', waitMinutes: '60' };
const draftOf = ({ channel, to, who, waitMinutes }: Contact['steps'][number]): StepDraft => ({
  channel,
  who,
  to: to.join(', '),
  waitMinutes: String(waitMinutes),
});

/** A new contact, or one that is changed; new addresses have to be confirmed anew. */
export function ContactForm({ of, onClose }: { readonly of: Contact | null; readonly onClose: () => void }) {
  const [kind, setKind] = useState<(typeof CONTACT_KINDS)[number]>(
    CONTACT_KINDS.find(({ value }) => value === of?.kind) ?? CONTACT_KINDS[0],
  );
  const [draft, setDraft] = useState({
    name: of?.name ?? '',
    about: of?.about ?? '',
    note: of?.note ?? '',
    noticeHours: of?.noticeHours == null ? '' : String(of.noticeHours),
    testDays: String(of?.testDays ?? 90),
  });
  const [steps, setSteps] = useState<readonly StepDraft[]>(of ? of.steps.map(draftOf) : [NO_STEP]);
  const set = (part: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...part }));
  const save = useCommand<void, unknown>({
    run: async () => {
      const body = {
        kind: kind.value,
        name: draft.name,
        about: draft.about,
        note: draft.note,
        noticeHours: draft.noticeHours === '' ? null : Number(draft.noticeHours),
        testDays: Number(draft.testDays),
        steps: steps.map(({ channel, to, who, waitMinutes }) => ({
          channel,
          who,
          to: to.split(/[\s,]+/).filter((one) => one !== ''),
          waitMinutes: Number(waitMinutes),
        })),
      };
      return of === null
        ? taken(await api.POST('/api/v1/contacts', { body }))
        : taken(await api.PUT('/api/v1/contacts/{id}', { params: { path: { id: of.id } }, body }));
    },
    done: of === null ? `${draft.name} is added.` : `${draft.name} is changed.`,
    changes: [['contacts']],
    onDone: onClose,
  });
  const isReady = draft.name.trim().length >= 2 && steps.every(({ channel }) => channel !== '');
  return (
    <FormDialog
      title={of === null ? 'Add a contact' : `Edit ${of.name}`}
      button={of === null ? 'Add' : 'Save'}
      isReady={isReady}
      command={save}
      onClose={onClose}
    >
      <FormField label="Kind">
        <Select
          selectedOption={kind}
          options={CONTACT_KINDS}
          onChange={({ detail }) =>
            setKind(CONTACT_KINDS.find(({ value }) => value === detail.selectedOption.value) ?? kind)
          }
        />
      </FormField>
      <FormField label="Name">
        <Input value={draft.name} onChange={({ detail }) => set({ name: detail.value })} />
      </FormField>
      <FormField label="About" description="The vendor, the app, or the recipient of a duty such as ico-uk">
        <Input value={draft.about} onChange={({ detail }) => set({ about: detail.value })} />
      </FormField>
      {steps.map((step, at) => (
        <StepFields
          // oxlint-disable-next-line react/no-array-index-key -- a step has no name of its own
          key={at}
          number={at + 1}
          step={step}
          onChange={(part) => setSteps(steps.map((one, index) => (index === at ? { ...one, ...part } : one)))}
          onRemove={steps.length > 1 ? () => setSteps(steps.filter((_, index) => index !== at)) : null}
        />
      ))}
      <Button iconName="add-plus" onClick={() => setSteps([...steps, NO_STEP])}>
        Add a step
      </Button>
      {kind.value === 'customer-group' ? (
        <FormField label="Notice by contract" description="Hours after we become aware">
          <Input
            value={draft.noticeHours}
            inputMode="numeric"
            onChange={({ detail }) => set({ noticeHours: detail.value })}
          />
        </FormField>
      ) : null}
      <FormField label="Test every" description="Days">
        <Input value={draft.testDays} inputMode="numeric" onChange={({ detail }) => set({ testDays: detail.value })} />
      </FormField>
      <FormField label="Note" description="A number to call, hours, what to say first">
        <Textarea value={draft.note} rows={2} onChange={({ detail }) => set({ note: detail.value })} />
      </FormField>
    </FormDialog>
  );
}

function StepFields(props: {
  readonly number: number;
  readonly step: StepDraft;
  readonly onChange: (part: Partial<StepDraft>) => void;
  readonly onRemove: (() => void) | null;
}) {
  const { number, step, onChange, onRemove } = props;
  const channels = useQuery(channelsQuery).data ?? [];
  return (
    <SpaceBetween size="xs">
      <ColumnLayout columns={2}>
        <FormField
          label={number === 1 ? 'Channel' : `Channel of step ${number}`}
          description={channels.length === 0 ? <RouteLink href="/channels">Add a channel first</RouteLink> : undefined}
        >
          <Select
            placeholder="Choose a channel"
            selectedOption={step.channel === '' ? null : { value: step.channel, label: step.channel }}
            options={channels.map(({ name, shown }) => ({ value: name, label: name, description: shown }))}
            onChange={({ detail }) => onChange({ channel: detail.selectedOption.value ?? '' })}
          />
        </FormField>
        <FormField label={number === 1 ? 'Addresses' : `Addresses of step ${number}`}>
          <Input
            value={step.to}
            placeholder="for mail, with commas"
            onChange={({ detail }) => onChange({ to: detail.value })}
          />
        </FormField>
        <FormField label={number === 1 ? 'Who is behind it' : `Who is behind step ${number}`}>
          <Input value={step.who} onChange={({ detail }) => onChange({ who: detail.value })} />
        </FormField>
        <FormField label={number === 1 ? 'Minutes to wait' : `Minutes to wait after step ${number}`}>
          <Input
            value={step.waitMinutes}
            inputMode="numeric"
            onChange={({ detail }) => onChange({ waitMinutes: detail.value })}
          />
        </FormField>
      </ColumnLayout>
      {onRemove ? <Button variant="inline-link" onClick={onRemove}>{`Remove step ${number}`}</Button> : null}
    </SpaceBetween>
  );
}
