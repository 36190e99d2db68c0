import Button from '@cloudscape-design/components/button';
import ColumnLayout from '@cloudscape-design/components/column-layout';
import Container from '@cloudscape-design/components/container';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { App } from '../api/wire.ts';
import { useCan } from '../session/session-query.ts';
import { ProblemAlert } from '../shell/ProblemAlert.tsx';
import { applyDraft, CHOICES, draftOf, LIMIT_FIELDS, type SettingsDraft, TEXTS } from './app-settings-draft.ts';

/** How the gateway treats the app. Sends only what was changed. */
export function AppSettings({ app }: { readonly app: App }) {
  const can = useCan();
  const [draft, setDraft] = useState<SettingsDraft>(() => draftOf(app));
  const isReadOnly = !can('app.write');
  const patch = applyDraft(app, draft);
  const save = useCommand({
    run: async () =>
      taken(await api.PATCH('/api/v1/apps/{id}', { params: { path: { id: app.id } }, body: patch as never })), // fields as the form has them; the server checks each
    done: 'The settings are saved and on their way to the gateways.',
    changes: [['apps'], ['map'], ['audit']],
  });
  const set = (key: string, value: string): void => setDraft((now) => ({ ...now, [key]: value }));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Form
        actions={
          isReadOnly ? null : (
            <SpaceBetween direction="horizontal" size="xs">
              <Button variant="link" formAction="none" onClick={() => setDraft(draftOf(app))}>
                Undo
              </Button>
              <Button
                variant="primary"
                formAction="submit"
                disabled={Object.keys(patch).length === 0}
                loading={save.isPending}
              >
                Save
              </Button>
            </SpaceBetween>
          )
        }
      >
        <SpaceBetween size="l">
          <ProblemAlert error={save.error} />
          <Container header={<Header variant="h2">Checks</Header>}>
            <ColumnLayout columns={2}>
              {CHOICES.map(({ key, label, description, options }) => (
                <FormField key={key} label={label} description={description} errorText={fieldProblem(save.error, key)}>
                  <Select
                    disabled={isReadOnly}
                    expandToViewport
                    selectedOption={options.find(({ value }) => value === draft[key]) ?? null}
                    options={options}
                    onChange={({ detail }) => set(key, detail.selectedOption.value ?? '')}
                  />
                </FormField>
              ))}
            </ColumnLayout>
          </Container>
          <Container header={<Header variant="h2">Addresses</Header>}>
            <ColumnLayout columns={2}>
              {TEXTS.map(({ key, label, description }) => (
                <FormField key={key} label={label} description={description} errorText={fieldProblem(save.error, key)}>
                  <Input
                    disabled={isReadOnly}
                    value={draft[key] ?? ''}
                    onChange={({ detail }) => set(key, detail.value)}
                  />
                </FormField>
              ))}
            </ColumnLayout>
          </Container>
          <Container header={<Header variant="h2">Limits of one call</Header>}>
            <ColumnLayout columns={2}>
              {LIMIT_FIELDS.map(({ key, label }) => (
                <FormField key={key} label={label} errorText={fieldProblem(save.error, `limits.${key}`)}>
                  <Input
                    disabled={isReadOnly}
                    inputMode="numeric"
                    value={draft[key] ?? ''}
                    onChange={({ detail }) => set(key, detail.value)}
                  />
                </FormField>
              ))}
            </ColumnLayout>
          </Container>
        </SpaceBetween>
      </Form>
    </form>
  );
}
