import type { App } from '../api/wire.ts';

/** Every field as the text that its input holds. */
export type SettingsDraft = Readonly<Record<string, string>>;

interface Choice {
  readonly key: string;
  readonly label: string;
  readonly description: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

const check = [
  { value: 'enforce', label: 'Refuse what does not fit' },
  { value: 'observe', label: 'Let pass and record' },
  { value: 'off', label: 'Do not check' },
];

/** Settings with a few fixed values; the values are the API's. */
export const CHOICES: readonly Choice[] = [
  {
    key: 'validateRequests',
    label: 'Requests',
    description: 'Against the schemas of the description.',
    options: check,
  },
  {
    key: 'validateResponses',
    label: 'Responses',
    description: 'Against the schemas of the description.',
    options: check,
  },
  {
    key: 'unknownOperations',
    label: 'Operations not in the description',
    description: 'Whether a grant by path or access may cover them.',
    options: [
      { value: 'refuse', label: 'Refuse' },
      { value: 'allow', label: 'Allow if granted' },
    ],
  },
  {
    key: 'injection',
    label: 'Injection attempts',
    description: 'SQL, commands, templates and paths in parameters.',
    options: [
      { value: 'refuse', label: 'Refuse' },
      { value: 'detect', label: 'Let pass and record' },
      { value: 'off', label: 'Do not look' },
    ],
  },
  {
    key: 'injectionAnswers',
    label: 'Injection in answers',
    description: 'Text that somebody planted in the app, for whoever reads it next.',
    options: [
      { value: 'refuse', label: 'Refuse the answer' },
      { value: 'detect', label: 'Let pass and record' },
      { value: 'off', label: 'Do not look' },
    ],
  },
  {
    key: 'forwardProxy',
    label: 'Through the forward proxy',
    description: 'Connections to this app’s hosts by HTTPS_PROXY.',
    options: [
      { value: 'refuse', label: 'Refuse' },
      { value: 'tunnel', label: 'Record host and volume' },
      { value: 'inspect', label: 'Open TLS, check every call' },
    ],
  },
  {
    key: 'strict',
    label: 'When an event is safe',
    description: 'Before the answer costs a disk write for each call.',
    options: [
      { value: 'false', label: 'Within 50 ms (default)' },
      { value: 'true', label: 'Before the answer ends' },
    ],
  },
  {
    key: 'backPressure',
    label: 'When events can’t be kept',
    description: 'What happens to calls while the spool is full.',
    options: [
      { value: 'refuse', label: 'Refuse calls' },
      { value: 'serve-and-count', label: 'Serve, and count the loss' },
    ],
  },
  {
    key: 'assurance',
    label: 'Proof asked of integrations',
    description: 'The weakest that this app accepts.',
    options: [
      { value: 'm0', label: 'A shared secret' },
      { value: 'm1', label: 'Possession of a key' },
      { value: 'm2', label: 'Possession of two keys' },
    ],
  },
  {
    key: 'classification',
    label: 'Classification',
    description: 'Of the data that it holds.',
    options: [
      { value: '', label: 'Not set' },
      { value: 'public', label: 'Public' },
      { value: 'internal', label: 'Internal' },
      { value: 'confidential', label: 'Confidential' },
      { value: 'restricted', label: 'Restricted' },
    ],
  },
  {
    key: 'plaintext',
    label: 'Plain HTTP to the app',
    description: 'Only for tools inside your own network.',
    options: [
      { value: 'refuse', label: 'Refuse' },
      { value: 'allow', label: 'Allow' },
    ],
  },
  {
    key: 'tlsVersionMin',
    label: 'Oldest TLS',
    description: 'Between gateway and app.',
    options: [
      { value: 'TLSv1.2', label: 'TLS 1.2' },
      { value: 'TLSv1.3', label: 'TLS 1.3' },
    ],
  },
  {
    key: 'rewriteBodies',
    label: 'URLs in bodies',
    description: 'Point them at the gateway, so that no call goes around it.',
    options: [
      { value: 'true', label: 'Rewrite' },
      { value: 'false', label: 'Leave' },
    ],
  },
];

export const TEXTS = [
  { key: 'title', label: 'Title', description: 'What people read.' },
  { key: 'upstream', label: 'Upstream', description: 'Base URL of the API.' },
  { key: 'port', label: 'Own port', description: 'For SDKs that drop path prefixes. Empty: none.' },
  { key: 'hostNames', label: 'Own host names', description: 'Separated by commas.' },
  {
    key: 'rewriteHosts',
    label: 'Also the vendor’s hosts',
    description: 'Whose URLs mean this app. Separated by commas.',
  },
  {
    key: 'privateAddresses',
    label: 'Private addresses',
    description: 'Allowed although private. Separated by commas.',
  },
] as const;

export const LIMIT_FIELDS = [
  { key: 'requestBytesMax', label: 'Request, bytes' },
  { key: 'responseBytesMax', label: 'Response, bytes' },
  { key: 'headerBytesMax', label: 'Headers, bytes' },
  { key: 'timeoutMs', label: 'Time, milliseconds' },
  { key: 'jsonDepthMax', label: 'Depth of JSON' },
] as const;

const LISTS = new Set<string>(['hostNames', 'rewriteHosts', 'privateAddresses']);
const BOOLEANS = new Set<string>(['strict', 'rewriteBodies']);

function show(value: unknown): string {
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

export function draftOf({ title, settings }: Pick<App, 'title' | 'settings'>): SettingsDraft {
  const { limits, ...rest } = settings;
  const all: Record<string, unknown> = { title, ...rest, ...limits };
  const keys = [...CHOICES, ...TEXTS, ...LIMIT_FIELDS].map(({ key }) => key);
  return Object.fromEntries(keys.map((key) => [key, show(all[key])]));
}

function read(key: string, text: string): unknown {
  if (LISTS.has(key)) {
    return text
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean);
  }
  if (BOOLEANS.has(key)) return text === 'true';
  if (key === 'port') return text.trim() === '' ? null : Number(text);
  if (key === 'classification') return text === '' ? null : text;
  return text;
}

/** The PATCH body: only fields whose text differs from what is stored. */
export function applyDraft(app: Pick<App, 'title' | 'settings'>, draft: SettingsDraft): Record<string, unknown> {
  const stored = draftOf(app);
  const changed = (key: string): boolean => draft[key] !== stored[key];
  const fields = [...CHOICES, ...TEXTS].map(({ key }) => key).filter(changed);
  const limits = LIMIT_FIELDS.map(({ key }) => key).filter(changed);
  return {
    ...Object.fromEntries(fields.map((key) => [key, read(key, draft[key] ?? '')])),
    ...(limits.length === 0 ? {} : { limits: Object.fromEntries(limits.map((key) => [key, Number(draft[key])])) }),
  };
}
