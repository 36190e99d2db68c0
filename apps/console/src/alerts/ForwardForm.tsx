import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { ForwardBody } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';

type Kind = ForwardBody['kind'];

interface Field {
  readonly key: string;
  readonly label: string;
  readonly hint?: string;
  readonly initial?: string;
}

/** What each kind asks for; the API checks them together. */
const KINDS: Readonly<
  Record<Kind, { readonly label: string; readonly fields: readonly Field[]; readonly secret?: string }>
> = {
  splunk: {
    label: 'Splunk HTTP Event Collector',
    fields: [
      { key: 'url', label: 'Address', hint: 'https://splunk.example:8088/services/collector/event' },
      { key: 'sourcetype', label: 'Source type', initial: 'cordon:ocsf' },
    ],
    secret: 'HEC token',
  },
  elastic: {
    label: 'Elastic or OpenSearch',
    fields: [
      { key: 'url', label: 'Address of the cluster' },
      { key: 'index', label: 'Index', initial: 'cordon' },
    ],
    secret: 'API key',
  },
  syslog: {
    label: 'Syslog (CEF)',
    fields: [
      { key: 'host', label: 'Host' },
      { key: 'port', label: 'Port', initial: '6514' },
      { key: 'transport', label: 'Transport', hint: 'tls or tcp', initial: 'tls' },
    ],
  },
  s3: {
    label: 'S3-compatible store',
    fields: [
      { key: 'endpoint', label: 'Endpoint', hint: 'https://s3.eu-central-1.amazonaws.com' },
      { key: 'region', label: 'Region', initial: 'us-east-1' },
      { key: 'bucket', label: 'Bucket' },
      { key: 'prefix', label: 'Prefix' },
      { key: 'accessKeyId', label: 'Access key id' },
    ],
    secret: 'Secret access key',
  },
  webhook: {
    label: 'Webhook (Standard Webhooks)',
    fields: [{ key: 'url', label: 'Address' }],
    secret: 'Signing secret (whsec_…)',
  },
};
const OPTIONS = (Object.keys(KINDS) as Kind[]).map((value) => ({ value, label: KINDS[value].label })); // its own keys
const ADDRESSES = /[\s,]+/;

function settingsOf(kind: Kind, values: Readonly<Record<string, string>>): Record<string, unknown> {
  return Object.fromEntries(
    KINDS[kind].fields.map(({ key, initial = '' }) => {
      const text = values[key] ?? initial;
      return [key, key === 'port' ? Number(text) : text];
    }),
  );
}

export function ForwardForm({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [kind, setKind] = useState<Kind>('splunk');
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [secret, setSecret] = useState('');
  const [query, setQuery] = useState('');
  const [addresses, setAddresses] = useState('');
  const chosen = KINDS[kind];
  const add = useCommand<void, unknown>({
    run: async () => {
      const privateAddresses = addresses.split(ADDRESSES).filter((one) => one !== '');
      const common = { name, query, privateAddresses, settings: settingsOf(kind, values) };
      const body = { kind, ...common, ...(chosen.secret !== undefined && { secret }) };
      // Kind and settings go together; the server checks that they do.
      return taken(await api.POST('/api/v1/forward-targets', { body: body as ForwardBody }));
    },
    done: 'Events are forwarded from now on.',
    changes: [['forwards'], ['audit']],
    onDone: onClose,
  });
  const isReady = name !== '' && (chosen.secret === undefined || secret !== '');
  return (
    <FormDialog title="Add a forwarding target" button="Add" isReady={isReady} command={add} onClose={onClose}>
      <FormField
        label="Name"
        description="Lower-case letters, digits and dashes."
        errorText={fieldProblem(add.error, 'name')}
      >
        <Input value={name} autoComplete={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField label="Kind">
        <Select
          selectedOption={OPTIONS.find(({ value }) => value === kind) ?? null}
          options={OPTIONS}
          onChange={({ detail }) => setKind(detail.selectedOption.value as Kind)} // one of the options
        />
      </FormField>
      {chosen.fields.map(({ key, label, hint, initial = '' }) => (
        <FormField key={key} label={label} description={hint} errorText={fieldProblem(add.error, `settings.${key}`)}>
          <Input
            value={values[key] ?? initial}
            autoComplete={false}
            onChange={({ detail }) => setValues({ ...values, [key]: detail.value })}
          />
        </FormField>
      ))}
      {chosen.secret === undefined ? null : (
        <FormField
          label={chosen.secret}
          description="Sealed; shown to nobody again."
          errorText={fieldProblem(add.error, 'secret')}
        >
          <Input
            value={secret}
            type="password"
            autoComplete={false}
            onChange={({ detail }) => setSecret(detail.value)}
          />
        </FormField>
      )}
      <FormField label="What" description="A search; empty: everything." errorText={fieldProblem(add.error, 'query')}>
        <Textarea rows={2} value={query} onChange={({ detail }) => setQuery(detail.value)} />
      </FormField>
      <FormField
        label="Private addresses"
        description="Exact addresses inside your network that it may lie at."
        errorText={fieldProblem(add.error, 'privateAddresses')}
      >
        <Input value={addresses} autoComplete={false} onChange={({ detail }) => setAddresses(detail.value)} />
      </FormField>
    </FormDialog>
  );
}
