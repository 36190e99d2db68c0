import Alert from '@cloudscape-design/components/alert';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import type { paths } from '@cordon/client';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { useGo } from '../shell/follow.ts';
import { credentialOf, secretFields } from './connection-draft.ts';
import type { Connector } from './connector-queries.ts';
import { EvidenceBadge } from './ConnectorStates.tsx';

type NewConnection = paths['/api/v1/connections']['post']['requestBody']['content']['application/json'];
type Values = Readonly<Record<string, string>>;

/** Connects a tool: the fields are those that its connector asks for. */
export function ConnectionForm({
  connectors,
  onClose,
}: {
  readonly connectors: readonly Connector[];
  readonly onClose: () => void;
}) {
  const go = useGo();
  const [app, setApp] = useState<string | null>(null);
  const [name, setName] = useState('');
  const [kind, setKind] = useState<string | null>(null);
  const [plan, setPlan] = useState<string | null>(null);
  const [config, setConfig] = useState<Values>({});
  const [secret, setSecret] = useState<Values>({});
  const [baseUrl, setBaseUrl] = useState('');
  const [addresses, setAddresses] = useState('');
  const connector = connectors.find((one) => one.app === app);
  const auth = connector?.auth.find((one) => one.kind === kind) ?? connector?.auth[0];
  const create = useCommand<void, { readonly id: string }>({
    run: async () => {
      const body = {
        app: app ?? '',
        name,
        plan,
        config: Object.fromEntries(Object.entries(config).filter(([, value]) => value !== '')),
        credential: credentialOf(auth?.kind ?? '', secret),
        baseUrl: baseUrl === '' ? null : baseUrl,
        privateAddresses: addresses.split(/[\s,]+/).filter((text) => text !== ''),
      } as NewConnection; // the server checks the credential member by member
      return taken(await api.POST('/api/v1/connections', { body }));
    },
    done: `${name} is connected; its first sync begins.`,
    changes: [['connections'], ['sources'], ['audit']],
    onDone: ({ id }) => {
      onClose();
      go(`/connections/${id}`);
    },
  });
  const isFilled =
    connector?.config.every((field) => !field.required || (config[field.name] ?? field.default ?? '') !== '') ===
      true && secretFields(auth).every((field) => (secret[field.name] ?? '') !== '');
  return (
    <FormDialog
      title="Connect a tool"
      button="Connect"
      isReady={name !== '' && isFilled}
      command={create}
      onClose={onClose}
    >
      <FormField label="Tool">
        <Select
          filteringType="auto"
          placeholder="Choose a tool"
          selectedOption={connector ? { value: connector.app, label: connector.title } : null}
          options={connectors.map((one) => ({
            value: one.app,
            label: one.title,
            description: one.vendor,
            tags: [`${one.streams.length} streams`, `${one.actions.length} actions`],
          }))}
          onChange={({ detail }) => {
            setApp(detail.selectedOption.value ?? null);
            setName((before) => (before === '' ? (detail.selectedOption.value ?? '') : before));
            setKind(null);
            setPlan(null);
            setConfig({});
            setSecret({});
          }}
        />
      </FormField>
      {connector ? (
        <SpaceBetween size="m">
          <Alert type="info" header={<EvidenceBadge evidence={connector.evidence} />}>
            {connector.evidenceNote}
          </Alert>
          <FormField
            label="Name"
            description="Lower-case letters, digits and dashes."
            errorText={fieldProblem(create.error, 'name')}
          >
            <Input value={name} autoComplete={false} onChange={({ detail }) => setName(detail.value)} />
          </FormField>
          <ConfigFields connector={connector} values={config} onChange={setConfig} />
          <CredentialPart connector={connector} auth={auth} values={secret} onKind={setKind} onChange={setSecret} />
          {connector.plans.length > 0 ? (
            <FormField label="Plan" description="What the plan lacks is shown as not visible, never as passed.">
              <Select
                placeholder="Not known"
                selectedOption={planOption(connector, plan)}
                options={connector.plans.map((one) => ({ value: one.name, label: one.title }))}
                onChange={({ detail }) => setPlan(detail.selectedOption.value ?? null)}
              />
            </FormField>
          ) : null}
          <ExpandableSection headerText="A server of your own">
            <SpaceBetween size="m">
              <FormField
                label="Base URL"
                description={`Instead of ${connector.baseUrl}.`}
                errorText={fieldProblem(create.error, 'baseUrl')}
              >
                <Input value={baseUrl} inputMode="url" onChange={({ detail }) => setBaseUrl(detail.value)} />
              </FormField>
              <FormField
                label="Private addresses"
                description="Exact addresses that it may have inside your network."
                errorText={fieldProblem(create.error, 'privateAddresses')}
              >
                <Input value={addresses} onChange={({ detail }) => setAddresses(detail.value)} />
              </FormField>
            </SpaceBetween>
          </ExpandableSection>
        </SpaceBetween>
      ) : null}
    </FormDialog>
  );
}

function planOption(connector: Connector, plan: string | null) {
  const found = connector.plans.find((one) => one.name === plan);
  return found ? { value: found.name, label: found.title } : null;
}

function ConfigFields({
  connector,
  values,
  onChange,
}: {
  readonly connector: Connector;
  readonly values: Values;
  readonly onChange: (values: Values) => void;
}) {
  return (
    <SpaceBetween size="m">
      {connector.config.map((field) => (
        <FormField
          key={field.name}
          label={field.required ? field.title : `${field.title} (optional)`}
          description={field.help}
          constraintText={field.example === null ? undefined : `Such as ${field.example}`}
        >
          <Input
            value={values[field.name] ?? field.default ?? ''}
            autoComplete={false}
            onChange={({ detail }) => onChange({ ...values, [field.name]: detail.value })}
          />
        </FormField>
      ))}
    </SpaceBetween>
  );
}

function CredentialPart({
  connector,
  auth,
  values,
  onKind,
  onChange,
}: {
  readonly connector: Connector;
  readonly auth: Connector['auth'][number] | undefined;
  readonly values: Values;
  readonly onKind: (kind: string) => void;
  readonly onChange: (values: Values) => void;
}) {
  return (
    <SpaceBetween size="m">
      <FormField label="Credential" description={auth?.help} stretch>
        <Select
          ariaLabel="Credential"
          selectedOption={auth ? { value: auth.kind, label: auth.title } : null}
          options={connector.auth.map((one) => ({ value: one.kind, label: one.title }))}
          onChange={({ detail }) => {
            onKind(detail.selectedOption.value ?? '');
            onChange({});
          }}
        />
      </FormField>
      {auth && auth.scopes.length > 0 ? <Alert type="info">It needs the scopes {auth.scopes.join(', ')}.</Alert> : null}
      {secretFields(auth).map((field) => (
        <FormField key={field.name} label={field.title}>
          {field.isLong ? (
            <Textarea
              value={values[field.name] ?? ''}
              spellcheck={false}
              onChange={({ detail }) => onChange({ ...values, [field.name]: detail.value })}
            />
          ) : (
            <Input
              type="password"
              value={values[field.name] ?? ''}
              autoComplete={false}
              onChange={({ detail }) => onChange({ ...values, [field.name]: detail.value })}
            />
          )}
        </FormField>
      ))}
    </SpaceBetween>
  );
}
