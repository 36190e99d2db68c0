import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { SignInPolicySet } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';

/** Puts a set in force, with the reason that history shows. */
export function PublishDialog({
  set,
  basedOn,
  onClose,
}: {
  readonly set: SignInPolicySet;
  readonly basedOn: number;
  readonly onClose: () => void;
}) {
  const [text, setText] = useState('');
  const publish = useCommand({
    run: async () => taken(await api.PUT('/api/v1/sign-in-policy', { body: { set, note: text, basedOn } })),
    done: ({ version }) => `Version ${version} decides from now on.`,
    changes: [['sign-in-policy'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog title="Put these policies in force?" button="Put in force" command={publish} onClose={onClose}>
      <FormField
        label="Why"
        description="It holds for every sign-in from the next one on. Nobody who is signed in is signed out."
      >
        <Input value={text} onChange={({ detail }) => setText(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
