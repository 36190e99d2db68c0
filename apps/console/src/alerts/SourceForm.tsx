import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import type { Source } from '../api/wire.ts';
import { FormDialog } from '../display/FormDialog.tsx';

type Way = 'push' | 'udp' | 'tcp' | 'tls' | 'file' | 's3';

const WAYS: readonly { readonly value: Way; readonly label: string; readonly description: string }[] = [
  { value: 'push', label: 'Pushed over HTTP', description: 'NDJSON, CloudEvents, Splunk HEC, OTLP logs' },
  { value: 'tls', label: 'Syslog over TLS', description: 'RFC 5425; encrypted, and nothing is dropped' },
  { value: 'tcp', label: 'Syslog over TCP', description: 'RFC 6587' },
  { value: 'udp', label: 'Syslog over UDP', description: 'May drop what comes too fast' },
  { value: 's3', label: 'A bucket', description: 'Objects under a prefix of an S3-compatible store' },
  { value: 'file', label: 'A file or folder', description: 'On the machine of the worker' },
];

interface BucketDraft {
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly accessKeyId: string;
  readonly addresses: string;
  readonly secret: string;
}

const BUCKET_FIELDS: readonly { readonly key: keyof BucketDraft; readonly label: string; readonly hint?: string }[] = [
  { key: 'endpoint', label: 'Endpoint', hint: 'https://s3.eu-central-1.amazonaws.com' },
  { key: 'region', label: 'Region' },
  { key: 'bucket', label: 'Bucket' },
  { key: 'prefix', label: 'Prefix', hint: 'What the names of objects begin with.' },
  { key: 'accessKeyId', label: 'Access key id' },
  { key: 'secret', label: 'Secret access key', hint: 'Sealed; shown to nobody again.' },
  {
    key: 'addresses',
    label: 'Private addresses',
    hint: 'Exact addresses inside your network that the endpoint may lie at.',
  },
];

interface Draft {
  readonly way: Way;
  readonly port: string;
  readonly peers: string;
  readonly path: string;
  readonly bucket: BucketDraft;
}

const BUCKET: BucketDraft = {
  endpoint: '',
  region: 'us-east-1',
  bucket: '',
  prefix: '',
  accessKeyId: '',
  addresses: '',
  secret: '',
};

/** What the API wants for the way that was chosen. */
export function collectOf({ way, port, peers, path, bucket: given }: Draft): Source['collect'] {
  if (way === 'push') return null;
  if (way === 's3') {
    const { addresses, secret: _secret, ...bucket } = given;
    return { kind: 's3', ...bucket, privateAddresses: addresses.split(/[\s,]+/).filter((one) => one !== '') };
  }
  if (way === 'file') return { kind: 'file', path };
  const list = peers.split(/[\s,]+/).filter((peer) => peer !== '');
  return { kind: 'syslog', transport: way, port: Number(port), peers: list };
}

/** `tls port 6514`, `/var/log/app`, or that events are pushed. */
export function collectText(collect: Source['collect']): string {
  if (collect === null) return 'Pushed';
  if (collect.kind === 's3') return `${collect.bucket}/${collect.prefix}`;
  return collect.kind === 'file' ? collect.path : `Syslog, ${collect.transport.toUpperCase()} port ${collect.port}`;
}

export function SourceForm({
  onClose,
  onMade,
}: {
  readonly onClose: () => void;
  readonly onMade: (value: string) => void;
}) {
  const [name, setName] = useState('');
  const [product, setProduct] = useState('');
  const [draft, setDraft] = useState<Draft>({ way: 'push', port: '6514', peers: '', path: '', bucket: BUCKET });
  const change = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const create = useCommand<void, { readonly credential: string }>({
    run: async () =>
      taken(
        await api.POST('/api/v1/sources', {
          body: {
            name,
            product,
            collect: collectOf(draft),
            ...(draft.way === 's3' && { collectSecret: draft.bucket.secret }),
          },
        }),
      ),
    changes: [['sources'], ['audit']],
    onDone: ({ credential }) => {
      onClose();
      if (draft.way === 'push') onMade(credential);
    },
  });
  const chosen = WAYS.find(({ value }) => value === draft.way) ?? null;
  const isSyslog = draft.way !== 'push' && draft.way !== 'file' && draft.way !== 's3';
  const isReady = name !== '' && product !== '' && (draft.way !== 'file' || draft.path !== '');
  return (
    <FormDialog title="Add a source" button="Add" isReady={isReady} command={create} onClose={onClose}>
      <FormField
        label="Name"
        description="Lower-case letters, digits and dashes."
        errorText={fieldProblem(create.error, 'name')}
      >
        <Input value={name} autoComplete={false} onChange={({ detail }) => setName(detail.value)} />
      </FormField>
      <FormField
        label="Product"
        description="Whose events: okta, github, slack, google_workspace; syslog for appliances and servers."
        errorText={fieldProblem(create.error, 'product')}
      >
        <Input value={product} autoComplete={false} onChange={({ detail }) => setProduct(detail.value)} />
      </FormField>
      <FormField label="How they come">
        <Select
          selectedOption={chosen}
          options={WAYS}
          onChange={({ detail }) => change({ way: detail.selectedOption.value as Way })} // one of the options
        />
      </FormField>
      {isSyslog ? (
        <SpaceBetween size="m">
          <FormField label="Port" errorText={fieldProblem(create.error, 'collect.port')}>
            <Input value={draft.port} type="number" onChange={({ detail }) => change({ port: detail.value })} />
          </FormField>
          <FormField
            label="Who may send"
            description="Addresses and networks; empty: whoever reaches the port."
            errorText={fieldProblem(create.error, 'collect.peers')}
          >
            <Input
              value={draft.peers}
              placeholder="10.0.0.0/8"
              onChange={({ detail }) => change({ peers: detail.value })}
            />
          </FormField>
        </SpaceBetween>
      ) : null}
      {draft.way === 's3'
        ? BUCKET_FIELDS.map(({ key, label, hint }) => (
            <FormField
              key={key}
              label={label}
              description={hint}
              errorText={fieldProblem(create.error, key === 'secret' ? 'collectSecret' : `collect.${key}`)}
            >
              <Input
                value={draft.bucket[key]}
                type={key === 'secret' ? 'password' : 'text'}
                autoComplete={false}
                onChange={({ detail }) => change({ bucket: { ...draft.bucket, [key]: detail.value } })}
              />
            </FormField>
          ))
        : null}
      {draft.way === 'file' ? (
        <FormField
          label="Path"
          description="Inside one of the folders that the worker may read (worker.collect_folders)."
          errorText={fieldProblem(create.error, 'collect.path')}
        >
          <Input
            value={draft.path}
            placeholder="/var/log/app"
            onChange={({ detail }) => change({ path: detail.value })}
          />
        </FormField>
      ) : null}
    </FormDialog>
  );
}
