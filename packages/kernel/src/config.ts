import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { ConfigInvalid } from './errors.ts';

const port = z.number().int().min(0).max(65_535);
const url = z.url({ protocol: /^https?$/ });

const schema = z.strictObject({
  data_dir: z.string().min(1).default('.cordon'),
  log_level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  control: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: port.default(7800),
      /** Address that people and clients use; the OAuth issuer and the passkeys' origin follow from it. */
      public_url: url.optional(),
    })
    .prefault({}),
  gateway: z
    .strictObject({
      host: z.string().default('127.0.0.1'),
      port: port.default(7443),
      /** A plain HTTP listener for clients on the same machine; 0 turns it off. */
      plain_port: port.default(7480),
      public_url: url.optional(),
      /** First of a row of plain loopback ports, one for each process alone; 0: none. For drills and tests. */
      process_port: port.default(0),
      processes: z.number().int().min(1).max(64).default(2),
      tls: z.strictObject({ cert: z.string(), key: z.string() }).optional(),
      stale_after_hours: z.number().positive().max(720).default(24),
      /** First of the internal ports for metrics and health, one a process. */
      metrics_port: port.default(7490),
    })
    .prefault({}),
  worker: z.strictObject({ port: port.default(7810) }).prefault({}),
  lake: z
    .strictObject({ port: port.default(7820), retention_days: z.number().int().min(1).max(3650).default(400) })
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
  CORDON_GATEWAY_HOST: 'gateway.host',
  CORDON_GATEWAY_PORT: 'gateway.port',
  CORDON_GATEWAY_PLAIN_PORT: 'gateway.plain_port',
  CORDON_GATEWAY_PROCESS_PORT: 'gateway.process_port',
  CORDON_GATEWAY_PUBLIC_URL: 'gateway.public_url',
  CORDON_GATEWAY_PROCESSES: 'gateway.processes',
  CORDON_GATEWAY_STALE_AFTER_HOURS: 'gateway.stale_after_hours',
  CORDON_GATEWAY_METRICS_PORT: 'gateway.metrics_port',
  CORDON_WORKER_PORT: 'worker.port',
  CORDON_LAKE_PORT: 'lake.port',
  CORDON_LAKE_RETENTION_DAYS: 'lake.retention_days',
  CORDON_ACCESS_TOKEN_MINUTES: 'tokens.access_minutes',
  CORDON_CONTROL_INTERNAL_URL: 'control_internal_url',
  CORDON_WORKER_INTERNAL_URL: 'worker_internal_url',
  CORDON_INTERNAL_KEY: 'internal_key',
  CORDON_KEK: 'kek',
  DATABASE_URL: 'database_url',
  CLICKHOUSE_URL: 'clickhouse_url',
  VALKEY_URL: 'valkey_url',
};

const NUMBER = /^\d+(\.\d+)?$/;
const SECRET_PATHS: ReadonlySet<string> = new Set([
  'kek',
  'internal_key',
  'database_url',
  'clickhouse_url',
  'valkey_url',
]);

function assign(tree: Record<string, unknown>, path: string, value: string): void {
  const [first, second] = path.split('.');
  const parsed = NUMBER.test(value) && !SECRET_PATHS.has(path) ? Number(value) : value;
  if (first === undefined) return;
  if (second === undefined) {
    tree[first] = parsed;
    return;
  }
  const branch = tree[first];
  const next = typeof branch === 'object' && branch !== null ? { ...branch } : {};
  tree[first] = { ...next, [second]: parsed };
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
