import { isIP } from 'node:net';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { ConfigInvalid } from './errors.ts';

const port = z.number().int().min(0).max(65_535);
const url = z.url({ protocol: /^https?$/ });

/** `address`, `v4:port` or `[v6]:port`, as Node's resolvers take them. */
function isNameServer(text: string): boolean {
  const { address = text, port = '53' } =
    /^\[?(?<address>[\d.]+|(?<=\[)[\da-f:]+)\]?:(?<port>\d{1,5})$/i.exec(text)?.groups ?? {};
  return isIP(address.replace(/^\[(.*)\]$/, '$1')) !== 0 && Number(port) > 0 && Number(port) < 65_536;
}

const schema = z.strictObject({
  data_dir: z.string().min(1).default('.cordon'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  control: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: port.default(7800),
      /** Address that people and clients use; the OAuth issuer and the passkeys' origin follow from it. */
      public_url: url.optional(),
      /** `file`: control keeps an owner's API token in the data directory, for the command line of this machine. */
      operator_access: z.enum(['file', 'none']).default('file'),
      /** HTTPS that asks for a client certificate, for the token endpoint (RFC 8705); 0 turns it off. */
      mtls_port: port.default(7801),
      /** Address under which clients reach it, when something stands in front that passes TLS through. */
      mtls_url: z.url({ protocol: /^https$/ }).optional(),
      /** PEM files of that listener; a certificate for localhost by the local authority when absent. */
      tls: z.strictObject({ cert_file: z.string().min(1), key_file: z.string().min(1) }).optional(),
    })
    .prefault({}),
  gateway: z
    .strictObject({
      /** Names this machine's gateway in events and status; must differ between machines. Made at the first start. */
      id: z
        .string()
        .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'letters, digits, dots, dashes and underscores')
        .optional(),
      host: z.string().default('127.0.0.1'),
      port: port.default(7443),
      /** A plain HTTP listener for clients on the same machine; 0 turns it off. */
      plain_port: port.default(7480),
      public_url: url.optional(),
      /** The forward proxy (HTTPS_PROXY), on the gateway's host, with its TLS off loopback; 0: none. */
      proxy_port: port.default(0),
      /** The same by TLS on any host, also for clients that prove themselves by a certificate; 0: none. */
      proxy_tls_port: port.default(0),
      /** What becomes of DPoP proofs while gateways can't tell each other which were used: taken and noted, or refused. */
      unshared_proofs: z.enum(['accept', 'refuse']).default('accept'),
      /** First of a row of plain loopback ports, one for each process alone; 0: none. For drills and tests. */
      process_port: port.default(0),
      processes: z.number().int().min(1).max(64).default(2),
      /** PEM files; a certificate for localhost by a local authority when absent. */
      tls: z.strictObject({ cert_file: z.string().min(1), key_file: z.string().min(1) }).optional(),
      stale_after_hours: z.number().positive().max(720).default(24),
      /** First of the internal ports for metrics and health, one a process. */
      metrics_port: port.default(7490),
      metrics_host: z.string().default('127.0.0.1'),
    })
    .prefault({}),
  /** Certificates of integrations. */
  clients: z
    .strictObject({
      /** PEM bundle of authorities whose certificates identify clients by their subject (`tls_client_auth`). */
      ca_file: z.string().min(1).optional(),
      /** SPIFFE trust domain → PEM bundle of the authorities that issue its certificates. */
      spiffe: z.record(z.string().regex(/^[a-z0-9][a-z0-9._-]{0,254}$/), z.string().min(1)).default({}),
      /** Addresses of TLS proxies whose Client-Cert field (RFC 9440) is believed, separated by commas. */
      trusted_proxies: z
        .string()
        .regex(/^[0-9a-fA-F.:, ]*$/, 'addresses separated by commas')
        .default(''),
      /** How long certificates of the built-in authority live. */
      certificate_days: z.number().int().min(1).max(90).default(7),
      /** Whether DPoP proofs at the token endpoint need a nonce of Cordon (RFC 9449, section 8). */
      dpop_nonce: z.enum(['optional', 'required']).default('optional'),
    })
    .prefault({}),
  worker: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: port.default(7810),
      /** Where syslog sources listen. */
      collect_host: z.string().default('127.0.0.1'),
      /** Folders that file sources may read, separated by commas; nothing else on the machine is read. */
      collect_folders: z.string().default(''),
      /** PEM files of syslog over TLS; a certificate for localhost by the local authority when absent. */
      collect_tls: z.strictObject({ cert_file: z.string().min(1), key_file: z.string().min(1) }).optional(),
    })
    .prefault({}),
  lake: z
    .strictObject({ port: port.default(7820), retention_days: z.number().int().min(1).max(3650).default(400) })
    .prefault({}),
  /** Where backups lie. */
  objects: z
    .strictObject({
      /** `file:/folder`, or `s3://bucket/prefix`; the folder `objects` in the data directory when absent. */
      url: z
        .string()
        .regex(/^(?:file:\/|s3:\/\/[a-z0-9])/, 'must begin with file:/ or s3://')
        .optional(),
      /** Of a store other than Amazon's; buckets are addressed by path. */
      endpoint: url.optional(),
      region: z.string().min(1).max(64).default('us-east-1'),
      access_key_id: z.string().optional(),
      secret_access_key: z.string().optional(),
      /** Object lock of the bucket; what is written is held for hold_days. */
      lock: z.enum(['none', 'governance', 'compliance']).default('none'),
      hold_days: z.number().int().min(1).max(3650).default(30),
    })
    .prefault({}),
  mail: z
    .strictObject({
      /** `smtp://user:password@host:587` or `smtps://`; without it no mail leaves. */
      smtp_url: z
        .string()
        .regex(/^smtps?:\/\//, 'must begin with smtp:// or smtps://')
        .optional(),
      from: z.string().min(3).max(254).default('Cordon <cordon@localhost>'),
    })
    .prefault({}),
  vendors: z
    .strictObject({
      /**
       * Name servers for vendors' hosts (addresses and CAA records), such as `10.0.0.53` or `[fd00::53]:5353`, separated
       * by commas; without it the system's.
       */
      dns_servers: z
        .string()
        .max(500)
        .refine((list) => list.split(',').every((one) => one.trim() === '' || isNameServer(one.trim())), {
          error: 'must be addresses, each with or without a port, separated by commas',
        })
        .default(''),
    })
    .prefault({}),
  detection: z
    .strictObject({
      /** Absolute path of a folder of your own Sigma rules, such as a Git checkout; read when Cordon starts. */
      rules_folder: z.string().startsWith('/').max(1_000).optional(),
    })
    .prefault({}),
  proof: z
    .strictObject({
      /** Whether what the lake takes goes into a Merkle log of its own, beside the audit trail. */
      lake_batches: z.boolean().default(false),
    })
    .prefault({}),
  enrichment: z
    .strictObject({
      /** Absolute paths of your own files of networks (.mmdb, .csv), separated by commas; a later one is believed first. */
      network_files: z
        .string()
        .regex(/^(?:\/[^,]*(?:, *\/[^,]*)*)?$/, 'absolute paths separated by commas')
        .max(4_000)
        .default(''),
    })
    .prefault({}),
  telemetry: z
    .strictObject({
      /** A collector's OTLP over HTTP, without `/v1/metrics`, such as `http://localhost:4318`; without it none is sent. */
      otlp_url: z.url({ protocol: /^https?$/ }).optional(),
      otlp_headers: z.record(z.string(), z.string()).default({}),
    })
    .prefault({}),
  sign_on: z
    .strictObject({
      /** `host:port` of corporate providers on a private network, or over plain HTTP on loopback; separated by commas. */
      private_hosts: z.string().max(2_000).default(''),
    })
    .prefault({}),
  tokens: z
    .strictObject({
      /** Life of opaque access tokens. */
      access_minutes: z.number().int().min(1).max(1440).default(60),
    })
    .prefault({}),
  database_url: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgres://')
    .optional(),
  clickhouse_url: url.optional(),
  valkey_url: z
    .string()
    .regex(/^(redis|valkey)s?:\/\//, 'must begin with redis:// or valkey://')
    .optional(),
  control_internal_url: url.optional(),
  worker_internal_url: url.optional(),
  kek: z.string().optional(),
  internal_key: z.string().min(32).optional(),
});

/** Parsed configuration; names are those of `cordon.yaml`. */
export type Config = z.output<typeof schema>;

/** Environment variable → path in the file. The environment wins over the file. */
export const CONFIG_ENVIRONMENT: Readonly<Record<string, string>> = {
  CORDON_DATA_DIR: 'data_dir',
  CORDON_LOG_LEVEL: 'log_level',
  CORDON_CONTROL_HOST: 'control.host',
  CORDON_CONTROL_PORT: 'control.port',
  CORDON_PUBLIC_URL: 'control.public_url',
  CORDON_OPERATOR_ACCESS: 'control.operator_access',
  CORDON_CONTROL_MTLS_PORT: 'control.mtls_port',
  CORDON_CONTROL_MTLS_URL: 'control.mtls_url',
  CORDON_CONTROL_TLS_CERT_FILE: 'control.tls.cert_file',
  CORDON_CONTROL_TLS_KEY_FILE: 'control.tls.key_file',
  CORDON_CLIENTS_CA_FILE: 'clients.ca_file',
  CORDON_CLIENTS_TRUSTED_PROXIES: 'clients.trusted_proxies',
  CORDON_CLIENTS_CERTIFICATE_DAYS: 'clients.certificate_days',
  CORDON_CLIENTS_DPOP_NONCE: 'clients.dpop_nonce',
  CORDON_GATEWAY_ID: 'gateway.id',
  CORDON_GATEWAY_HOST: 'gateway.host',
  CORDON_GATEWAY_PORT: 'gateway.port',
  CORDON_GATEWAY_PLAIN_PORT: 'gateway.plain_port',
  CORDON_GATEWAY_PROXY_PORT: 'gateway.proxy_port',
  CORDON_GATEWAY_PROXY_TLS_PORT: 'gateway.proxy_tls_port',
  CORDON_GATEWAY_UNSHARED_PROOFS: 'gateway.unshared_proofs',
  CORDON_GATEWAY_PROCESS_PORT: 'gateway.process_port',
  CORDON_GATEWAY_PUBLIC_URL: 'gateway.public_url',
  CORDON_GATEWAY_PROCESSES: 'gateway.processes',
  CORDON_GATEWAY_STALE_AFTER_HOURS: 'gateway.stale_after_hours',
  CORDON_GATEWAY_METRICS_PORT: 'gateway.metrics_port',
  CORDON_GATEWAY_METRICS_HOST: 'gateway.metrics_host',
  CORDON_GATEWAY_TLS_CERT_FILE: 'gateway.tls.cert_file',
  CORDON_GATEWAY_TLS_KEY_FILE: 'gateway.tls.key_file',
  CORDON_WORKER_HOST: 'worker.host',
  CORDON_WORKER_PORT: 'worker.port',
  CORDON_COLLECT_HOST: 'worker.collect_host',
  CORDON_COLLECT_FOLDERS: 'worker.collect_folders',
  CORDON_COLLECT_TLS_CERT_FILE: 'worker.collect_tls.cert_file',
  CORDON_COLLECT_TLS_KEY_FILE: 'worker.collect_tls.key_file',
  CORDON_LAKE_PORT: 'lake.port',
  CORDON_LAKE_RETENTION_DAYS: 'lake.retention_days',
  CORDON_SIGN_ON_PRIVATE_HOSTS: 'sign_on.private_hosts',
  CORDON_ACCESS_TOKEN_MINUTES: 'tokens.access_minutes',
  CORDON_CONTROL_INTERNAL_URL: 'control_internal_url',
  CORDON_WORKER_INTERNAL_URL: 'worker_internal_url',
  CORDON_RULES_FOLDER: 'detection.rules_folder',
  CORDON_PROOF_LAKE_BATCHES: 'proof.lake_batches',
  CORDON_NETWORK_FILES: 'enrichment.network_files',
  CORDON_OTLP_URL: 'telemetry.otlp_url',
  CORDON_DNS_SERVERS: 'vendors.dns_servers',
  CORDON_SMTP_URL: 'mail.smtp_url',
  CORDON_MAIL_FROM: 'mail.from',
  CORDON_INTERNAL_KEY: 'internal_key',
  CORDON_KEK: 'kek',
  OBJECTS_URL: 'objects.url',
  OBJECTS_ENDPOINT: 'objects.endpoint',
  OBJECTS_REGION: 'objects.region',
  OBJECTS_ACCESS_KEY_ID: 'objects.access_key_id',
  OBJECTS_SECRET_ACCESS_KEY: 'objects.secret_access_key',
  OBJECTS_LOCK: 'objects.lock',
  OBJECTS_HOLD_DAYS: 'objects.hold_days',
  DATABASE_URL: 'database_url',
  CLICKHOUSE_URL: 'clickhouse_url',
  VALKEY_URL: 'valkey_url',
};

const NUMBER = /^\d+(\.\d+)?$/;
/** Text even when it looks like a number. */
const TEXT_PATHS: ReadonlySet<string> = new Set([
  'sign_on.private_hosts',
  'data_dir',
  'gateway.id',
  'kek',
  'internal_key',
  'detection.rules_folder',
  'telemetry.otlp_url',
  'vendors.dns_servers',
  'mail.smtp_url',
  'mail.from',
  'objects.url',
  'objects.access_key_id',
  'objects.secret_access_key',
  'database_url',
  'clickhouse_url',
  'valkey_url',
]);

function assign(tree: Record<string, unknown>, path: string, value: string): void {
  const parsed = NUMBER.test(value) && !TEXT_PATHS.has(path) ? Number(value) : value;
  const keys = path.split('.');
  const last = keys.pop();
  if (last === undefined) return;
  let branch = tree;
  for (const key of keys) {
    const known = branch[key];
    const next = typeof known === 'object' && known !== null ? { ...known } : {};
    branch[key] = next;
    branch = next;
  }
  branch[last] = parsed;
}

function describe(issue: z.core.$ZodIssue, fromEnvironment: ReadonlyMap<string, string>): string {
  const path = issue.path.join('.');
  const variable = fromEnvironment.get(path);
  const where = variable ? `${variable} (${path})` : path || 'the file';
  if (issue.code === 'unrecognized_keys') {
    return `${where}: unknown key ${issue.keys.join(', ')}. Known keys are listed in docs/reference/configuration.md.`;
  }
  return `${where}: ${issue.message}`;
}

/** Parses the file's text and the environment into one configuration; errors name the key and what is allowed. */
export function parseConfig(input: {
  readonly text?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Config {
  let tree: Record<string, unknown> = {};
  if (input.text !== undefined) {
    let parsed: unknown;
    try {
      parsed = parseYaml(input.text);
    } catch (cause) {
      throw new ConfigInvalid(
        `cordon.yaml is not valid YAML: ${cause instanceof Error ? cause.message : ''}`,
        {},
        cause,
      );
    }
    if (parsed !== null && parsed !== undefined && (typeof parsed !== 'object' || Array.isArray(parsed))) {
      throw new ConfigInvalid('cordon.yaml must be a map of keys, for example "control:".');
    }
    tree = { ...(parsed as Record<string, unknown> | null) };
  }
  const fromEnvironment = new Map<string, string>();
  for (const [variable, path] of Object.entries(CONFIG_ENVIRONMENT)) {
    const value = input.env[variable];
    if (value === undefined || value === '') continue;
    assign(tree, path, value);
    fromEnvironment.set(path, variable);
  }
  const result = schema.safeParse(tree);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => describe(issue, fromEnvironment));
  throw new ConfigInvalid(`The configuration is not valid:\n  ${lines.join('\n  ')}`, { problems: lines });
}

export interface ConfigKey {
  readonly path: string;
  readonly type: string;
  readonly fallback: unknown;
}

/** Every key with what is allowed and its default, for the reference page. */
export function describeConfig(): ConfigKey[] {
  const document = z.toJSONSchema(schema, { io: 'input' }) as JsonSchemaNode; // zod writes plain JSON Schema
  return describeNode(document, '');
}

interface JsonSchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly format?: string;
  readonly default?: unknown;
}

function describeNode(node: JsonSchemaNode, path: string): ConfigKey[] {
  if (node.properties) {
    return Object.entries(node.properties).flatMap(([key, child]) =>
      describeNode(child, path === '' ? key : `${path}.${key}`),
    );
  }
  const range = node.minimum === undefined ? '' : ` from ${node.minimum} to ${node.maximum ?? 'any'}`;
  const type = node.enum ? node.enum.join(', ') : `${node.format ?? node.type ?? 'text'}${range}`;
  return [{ path, type, fallback: node.default }];
}
