import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Toggle from '@cloudscape-design/components/toggle';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { PlaybookRun } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useGo } from '../shell/follow.ts';
import { playbookQuery, playbooksQuery } from './incident-queries.ts';
import { textOf } from './playbook-graph.ts';

interface RunStartProps {
  readonly caseId?: string;
  readonly playbookId?: string;
  readonly onClose: () => void;
}

/** Starts a playbook, for a case or by itself; dry by default, since a dry run costs nothing. */
export function RunStart({ caseId, playbookId, onClose }: RunStartProps) {
  const go = useGo();
  const playbooks = useQuery(playbooksQuery);
  const [chosen, setChosen] = useState(playbookId ?? '');
  const [isDry, setDry] = useState(true);
  const [given, setGiven] = useState<Readonly<Record<string, string>>>({});
  const playbook = useQuery({ ...playbookQuery(chosen), enabled: chosen !== '' });
  const inputs = playbook.data?.inputs ?? [];
  const start = useCommand<void, PlaybookRun>({
    run: async () => {
      const known = new Set(inputs.map(({ name }) => name));
      const values = Object.fromEntries(
        Object.entries(given).filter(([name, value]) => known.has(name) && value !== ''),
      );
      const body = {
        playbook: chosen,
        inputs: values,
        mode: isDry ? ('simulate' as const) : ('live' as const),
        ...(caseId !== undefined && { caseId }),
      };
      return taken(await api.POST('/api/v1/playbook-runs', { body }));
    },
    changes: [['cases'], ['playbook-runs']],
    onDone: ({ id }) => {
      onClose();
      go(`/playbook-runs/${id}`);
    },
  });
  const options = (playbooks.data ?? []).map(({ id, name }) => ({ value: id, label: name }));
  const missing = inputs.some(({ name, value }) => value === null && !given[name]);
  return (
    <FormDialog
      title="Run a playbook"
      button={isDry ? 'Run it dry' : 'Run it'}
      isReady={chosen !== '' && !missing}
      command={start}
      onClose={onClose}
    >
      <FormField label="Playbook" description={playbook.data ? textOf(playbook.data.document['description']) : ''}>
        <Select
          filteringType="auto"
          placeholder="Choose one"
          selectedOption={options.find(({ value }) => value === chosen) ?? null}
          options={options}
          onChange={({ detail }) => setChosen(detail.selectedOption.value ?? '')}
        />
      </FormField>
      {inputs.map(({ name, description, value }) => (
        <FormField key={name} label={name.replaceAll('__', '')} description={description}>
          <Input
            value={given[name] ?? ''}
            placeholder={value ?? ''}
            onChange={({ detail }) => setGiven({ ...given, [name]: detail.value })}
          />
        </FormField>
      ))}
      <Toggle checked={isDry} onChange={({ detail }) => setDry(detail.checked)}>
        Dry run: look, but touch nothing
      </Toggle>
    </FormDialog>
  );
}
