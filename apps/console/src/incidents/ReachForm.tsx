import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { RouteLink } from '../shell/RouteLink.tsx';
import { contactsQuery } from './incident-queries.ts';

/** A message to a contact, by its steps: the next one follows when nobody confirmed in time. */
export function ReachForm({ caseId, onClose }: { readonly caseId: string; readonly onClose: () => void }) {
  const contacts = useQuery(contactsQuery).data ?? [];
  const [draft, setDraft] = useState({ contact: '', subject: '', text: '' });
  const set = (part: Partial<typeof draft>): void => setDraft((now) => ({ ...now, ...part }));
  const chosen = contacts.find(({ id }) => id === draft.contact);
  const reach = useCommand<void, unknown>({
    run: async () => {
      const path = { id: caseId, contact: draft.contact };
      const body = { subject: draft.subject, text: draft.text };
      return taken(await api.POST('/api/v1/cases/{id}/contacts/{contact}/messages', { params: { path }, body }));
    },
    done: 'The message is on its way; whoever reads it confirms by its link.',
    changes: [['cases']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title="Reach a contact"
      button="Send"
      isReady={chosen !== undefined && draft.subject.trim() !== '' && draft.text.trim() !== ''}
      command={reach}
      onClose={onClose}
    >
      <FormField
        label="Contact"
        description={contacts.length === 0 ? <RouteLink href="/contacts">Add a contact first</RouteLink> : undefined}
      >
        <Select
          placeholder="Choose a contact"
          selectedOption={chosen ? { value: chosen.id, label: chosen.name } : null}
          options={contacts.map(({ id, name, about, isReachable }) => ({
            value: id,
            label: name,
            description: [about, isReachable ? '' : 'not confirmed lately'].filter((one) => one !== '').join(', '),
          }))}
          onChange={({ detail }) => set({ contact: detail.selectedOption.value ?? '' })}
        />
      </FormField>
      <FormField label="Subject">
        <Input value={draft.subject} onChange={({ detail }) => set({ subject: detail.value })} />
      </FormField>
      <FormField label="Text">
        <Textarea value={draft.text} rows={6} onChange={({ detail }) => set({ text: detail.value })} />
      </FormField>
    </FormDialog>
  );
}
