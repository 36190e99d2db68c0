import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Checkbox from '@cloudscape-design/components/checkbox';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Modal from '@cloudscape-design/components/modal';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { CatalogueForm, CatalogueSteps } from './CatalogueForm.tsx';
import { bodyOf, fillIn, isFilled } from './catalogue-fill.ts';
import { customBody, EMPTY_APP, isCustomReady, SsoAppFields } from './SsoAppFields.tsx';

const OTHER = { label: 'Another tool', value: 'other' };

interface Made {
  readonly id: string;
  readonly clientSecret: string | null;
  readonly steps: readonly string[];
}

/** Adds a tool: from the catalogue with its settings ready, or any other. */
export function SsoAppForm({ onClose }: { readonly onClose: () => void }) {
  const [chosen, setChosen] = useState('other');
  const [name, setName] = useState('');
  const [everyone, setEveryone] = useState(true);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [custom, setCustom] = useState(EMPTY_APP);
  const [made, setMade] = useState<Made | null>(null);
  const catalogue = useQuery({
    queryKey: ['sso-catalogue'],
    queryFn: async () => taken(await api.GET('/api/v1/sso/catalogue')).items,
  });
  const addresses = useQuery({
    queryKey: ['sso-addresses'],
    queryFn: async () => taken(await api.GET('/api/v1/sso/addresses')),
  });
  const entry = catalogue.data?.find(({ app }) => app === chosen);
  const add = useCommand({
    run: async () => {
      const body = entry
        ? bodyOf(entry, values, { name, everyone })
        : { ...customBody(custom), name, access: { everyone } };
      return taken(await api.POST('/api/v1/sso/apps', { body }));
    },
    done: () => `${name} was added.`,
    changes: [['sso-apps'], ['my-apps']],
    onDone: ({ app, clientSecret }) => {
      const { certificates, ...found } = addresses.data ?? { certificates: [] };
      const certificate = certificates[0]?.certificate ?? '';
      const known = { ...values, ...found, certificate, clientId: app.id, clientSecret: clientSecret ?? '' };
      const steps = (entry?.steps ?? []).map((step) => String(fillIn(step, known)));
      if (clientSecret === null && steps.length === 0) onClose();
      else setMade({ id: app.id, clientSecret, steps });
    },
  });
  if (made) return <MadeApp name={name} made={made} onClose={onClose} />;
  const isReady = name !== '' && (entry ? isFilled(entry, values) : isCustomReady(custom));
  const options = [
    OTHER,
    ...(catalogue.data ?? []).map(({ app, title, category }) => ({ value: app, label: title, description: category })),
  ];
  return (
    <FormDialog title="Add an app" button="Add" isReady={isReady} command={add} onClose={onClose}>
      <SpaceBetween size="m">
        <FormField label="Tool" description="For tools of the catalogue the settings are ready.">
          <Select
            filteringType="auto"
            selectedOption={options.find(({ value }) => value === chosen) ?? OTHER}
            options={options}
            onChange={({ detail }) => {
              setChosen(detail.selectedOption.value ?? 'other');
              setValues({});
              const title = catalogue.data?.find(({ app }) => app === detail.selectedOption.value)?.title;
              if (title !== undefined) setName(title);
            }}
          />
        </FormField>
        <FormField label="Name">
          <Input value={name} onChange={({ detail }) => setName(detail.value)} />
        </FormField>
        {entry ? (
          <CatalogueForm entry={entry} values={values} onChange={setValues} />
        ) : (
          <SsoAppFields draft={custom} onChange={setCustom} />
        )}
        <Checkbox checked={everyone} onChange={({ detail }) => setEveryone(detail.checked)}>
          Everyone may use it
        </Checkbox>
      </SpaceBetween>
    </FormDialog>
  );
}

function MadeApp({
  name,
  made,
  onClose,
}: {
  readonly name: string;
  readonly made: Made;
  readonly onClose: () => void;
}) {
  return (
    <Modal
      visible
      size="large"
      header={`${name} was added`}
      closeAriaLabel="Close"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={onClose}>
            Done
          </Button>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {made.clientSecret === null ? null : (
          <SpaceBetween size="m">
            <Alert type="warning">The secret is shown once. Enter it at the tool now.</Alert>
            <FormField label="Client id">
              <Input value={made.id} readOnly />
            </FormField>
            <FormField label="Client secret">
              <Input value={made.clientSecret} readOnly />
            </FormField>
          </SpaceBetween>
        )}
        {made.steps.length === 0 ? null : <CatalogueSteps steps={made.steps} />}
      </SpaceBetween>
    </Modal>
  );
}
