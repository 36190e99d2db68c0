import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';

type Settings = NonNullable<App['settings']['mcp']>;

const CHOICES = {
  newItems: {
    label: 'What is seen for the first time',
    options: { review: 'Waits for a decision', 'accept-unflagged': 'Is accepted when nothing in it is flagged' },
  },
  resources: {
    label: 'Resources',
    options: { review: 'Accepted one by one, like tools', granted: 'A grant on the URI is enough' },
  },
  sampling: {
    label: 'Sampling asked for by the server',
    options: { refuse: 'Refused', allow: 'Allowed' },
  },
  elicitation: {
    label: 'Questions of the server to the user',
    options: { refuse: 'Refused', allow: 'Allowed' },
  },
  roots: { label: 'The list of roots', options: { refuse: 'Refused', allow: 'Allowed' } },
} as const;
type Choice = keyof typeof CHOICES;

const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** How the gateway treats an MCP server. */
export function McpSettingsDialog({
  app,
  settings,
  onClose,
}: {
  readonly app: App;
  readonly settings: Settings;
  readonly onClose: () => void;
}) {
  const [draft, setDraft] = useState<Settings>(settings);
  const [pins, setPins] = useState(settings.pinContents.join('\n'));
  const save = useCommand({
    run: async () =>
      taken(
        await api.PATCH('/api/v1/apps/{id}', {
          params: { path: { id: app.id } },
          body: { mcp: { ...draft, pinContents: linesOf(pins) } },
        }),
      ),
    done: 'The settings are saved and on their way to the gateways.',
    changes: [['apps'], ['audit']],
    onDone: onClose,
  });
  const choose = (name: Choice, value: string | undefined): void => {
    if (value !== undefined && value in CHOICES[name].options) setDraft({ ...draft, [name]: value });
  };
  return (
    <FormDialog button="Save" title={`MCP settings of ${app.title}`} command={save} onClose={onClose}>
      {(Object.keys(CHOICES) as Choice[]).map((name) => {
        const options = Object.entries(CHOICES[name].options).map(([value, label]) => ({ value, label }));
        return (
          <FormField key={name} label={CHOICES[name].label} errorText={fieldProblem(save.error, `mcp.${name}`)}>
            <Select
              expandToViewport
              options={options}
              selectedOption={options.find(({ value }) => value === draft[name]) ?? null}
              onChange={({ detail }) => choose(name, detail.selectedOption.value)}
            />
          </FormField>
        );
      })}
      <FormField
        label="Resources whose contents are pinned"
        description="One pattern a line, as grants name them: notes://handbook/**. Their contents wait for a decision, and again whenever they change."
        errorText={fieldProblem(save.error, 'mcp.pinContents')}
      >
        <Textarea rows={3} value={pins} onChange={({ detail }) => setPins(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
