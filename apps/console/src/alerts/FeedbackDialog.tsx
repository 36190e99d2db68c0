import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import RadioGroup from '@cloudscape-design/components/radio-group';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { BehaviourDetail } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import type { BehaviourTerm } from './BehaviourEntityPage.tsx';
import { featureName } from './behaviour-queries.ts';

const DAY_MS = 86_400_000;

/** Says whether a term was expected; the baseline follows until the day given. */
export function FeedbackDialog({
  entity,
  term,
  day,
  onClose,
}: {
  readonly entity: BehaviourDetail;
  readonly term: BehaviourTerm;
  readonly day: number;
  readonly onClose: () => void;
}) {
  const [verdict, setVerdict] = useState<'expected' | 'not-expected'>('expected');
  const [reason, setReason] = useState('');
  const [days, setDays] = useState('90');
  const { feature } = term;
  const isSingle = feature.startsWith('new-') && term.observed === 1;
  const command = useCommand({
    run: async () => {
      if (feature === 'signals') return;
      const body = {
        feature,
        day,
        verdict,
        reason,
        expiresAt: Date.now() + Number(days) * DAY_MS,
        ...(isSingle ? { value: term.value } : {}),
      };
      taken(await api.POST('/api/v1/behaviour/feedback', { params: { query: { key: entity.key } }, body }));
    },
    done: 'Taken. The entity is judged again.',
    changes: [['behaviour'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`${featureName(feature)}: ${term.value}`}
      button="Save"
      isReady={reason.trim() !== '' && Number(days) >= 1 && Number(days) <= 366}
      command={{ isPending: command.isPending, error: command.error, mutate: () => command.mutate(undefined) }}
      onClose={onClose}
    >
      <RadioGroup
        ariaLabel="Verdict"
        value={verdict}
        onChange={({ detail }) => setVerdict(detail.value === 'not-expected' ? 'not-expected' : 'expected')}
        items={[
          { value: 'expected', label: 'Expected', description: 'It belongs to the baseline from now on.' },
          {
            value: 'not-expected',
            label: 'Not expected',
            description: 'The day stays out of the baseline, and what was new on it stays new.',
          },
        ]}
      />
      <FormField label="Reason">
        <Textarea value={reason} onChange={({ detail }) => setReason(detail.value)} />
      </FormField>
      <FormField label="For how many days" description="1 to 366">
        <Input inputMode="numeric" value={days} onChange={({ detail }) => setDays(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
