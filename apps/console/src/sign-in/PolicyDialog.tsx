import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { SignInPolicySet } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';

type Policy = SignInPolicySet['policies'][number];

export const MODES = [
  { value: 'enforce', label: 'Enforced' },
  {
    value: 'watch',
    label: 'Watched',
    description: 'Decides nothing; what it would have done is kept with each sign-in.',
  },
  { value: 'off', label: 'Off' },
] as const;

const EXAMPLE = `@id("my-rule")
@advice("What the person reads, and can do.")
forbid (principal, action, resource)
when { context.country == "unknown" }
unless { context.strength >= 2 };`;

/** One policy of the draft; its text is checked by the server before it is taken. */
export function PolicyDialog({
  policy,
  taken: names,
  onSave,
  onClose,
}: {
  readonly policy: Policy | null;
  readonly taken: readonly string[];
  readonly onSave: (policy: Policy) => void;
  readonly onClose: () => void;
}) {
  const [name, setName] = useState(policy?.name ?? '');
  const [text, setText] = useState(policy?.text ?? EXAMPLE);
  const [mode, setMode] = useState<Policy['mode']>(policy?.mode ?? 'watch');
  const check = useCommand({
    run: async () => taken(await api.POST('/api/v1/sign-in-policy/check', { body: { text } })).problems,
    onDone: (problems) => {
      if (problems.every(({ severity }) => severity !== 'error')) onSave({ name: name.trim(), text, mode });
    },
  });
  const problems = check.data?.map(
    ({ line, column, message, help }) =>
      `${line === null ? '' : `Line ${line}, column ${column ?? 0}: `}${message}${help === null ? '' : ` (${help})`}`,
  );
  const isTaken = names.includes(name.trim());
  return (
    <FormDialog
      title={policy ? `Edit ${policy.name}` : 'Write a policy'}
      button="Take into the draft"
      isReady={name.trim() !== '' && text !== '' && !isTaken}
      command={check}
      onClose={onClose}
    >
      <FormField label="Name" errorText={isTaken ? 'Another policy has this name.' : undefined}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Mode">
        <Select
          options={[...MODES]}
          selectedOption={MODES.find(({ value }) => value === mode) ?? null}
          onChange={({ detail }) =>
            setMode(MODES.find(({ value }) => value === detail.selectedOption.value)?.value ?? mode)
          }
        />
      </FormField>
      <FormField
        label="Policy"
        description="Cedar. principal: roles, groups. resource: name, kind. context: strength (0 to 2), authAge, networks, country, device, compliance, risk, alerts, hour, weekday."
        errorText={problems?.join(' ')}
        stretch
      >
        <Textarea value={text} rows={14} spellcheck={false} onChange={({ detail }) => setText(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
