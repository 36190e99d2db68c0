import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONFIG_ENVIRONMENT, describeConfig, parseConfig } from '@cordon/kernel';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

/**
 * What can be held to without a container engine or a cluster: that the files under deploy/ are well formed, name
 * variables and ports that exist, pin what they fetch and give processes no more than they need.
 */

const DEPLOY = fileURLToPath(new URL('../deploy/', import.meta.url));
const read = (name: string): string => readFileSync(join(DEPLOY, name), 'utf8');
const defaults = parseConfig({ env: {} });
const PORTS = {
  control: defaults.control.port,
  gateway: defaults.gateway.port,
  worker: defaults.worker.port,
  metrics: defaults.gateway.metrics_port,
};

type Node = Record<string, unknown>;
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found: unknown = value;
  for (const key of path) found = typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined;
  return found;
}
const asNode = (value: unknown): Node => (typeof value === 'object' && value !== null ? (value as Node) : {});
const asList = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** Variables that something else than Cordon's configuration reads. */
const FOREIGN = /^(NODE_ENV|POSTGRES_(USER|DB|PASSWORD)|CLICKHOUSE_(USER|DB|PASSWORD))$/;

function expectKnown(names: readonly string[]): void {
  expect(names.filter((name) => !(name in CONFIG_ENVIRONMENT) && !FOREIGN.test(name))).toEqual([]);
}

function expectPinned(image: string): void {
  expect(image).toMatch(/^[\w./-]+:\d+\.\d+[\w.-]*$/);
}

interface Instruction {
  readonly name: string;
  readonly text: string;
}

function dockerfile(): Instruction[] {
  const joined = read('Dockerfile')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n/g, ' ');
  return joined
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ name: line.split(' ', 1)[0] ?? '', text: line.slice(line.indexOf(' ') + 1).trim() }));
}

test('the image is built in two stages, from pinned bases, and runs as nobody special', () => {
  const instructions = dockerfile();
  const stages = instructions.filter(({ name }) => name === 'FROM').map(({ text }) => text.split(' '));
  expect(stages.map(([, , stage]) => stage)).toEqual(['build', 'runtime']);
  for (const [image] of stages) expectPinned(image ?? '');
  const last = instructions.findLastIndex(({ name }) => name === 'FROM');
  const runtime = instructions.slice(last).map(({ name }) => name);
  const order = ['USER', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'].map((name) => runtime.indexOf(name));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
  expect(order).not.toContain(-1);
  // Nothing is run, copied or owned after the user is no longer root.
  expect(runtime.slice(runtime.indexOf('USER'))).not.toContain('RUN');
  expect(runtime.slice(runtime.indexOf('USER'))).not.toContain('COPY');
  expect(instructions.find(({ name }) => name === 'USER')?.text).toMatch(/^[1-9]\d{3,}:[1-9]\d{3,}$/);
});

test('the image fetches nothing but npm packages and runs none of their scripts', () => {
  const runs = dockerfile().filter(({ name }) => name === 'RUN');
  for (const { text } of runs) expect(text).not.toMatch(/curl|wget|apt-get|apk|git clone|https?:/);
  const installs = runs.flatMap(({ text }) => text.split('&&')).filter((text) => /npm (install|ci|prune)/.test(text));
  expect(installs.length).toBeGreaterThan(0);
  for (const text of installs) expect(text).toContain('--ignore-scripts');
  expect(dockerfile().filter(({ name }) => name === 'ADD')).toEqual([]);
});

test('the image copies what exists, and manifests before sources so that layers are kept', () => {
  const root = join(DEPLOY, '..');
  const copies = dockerfile().filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from'));
  for (const { text } of copies) {
    for (const source of text.split(' ').slice(0, -1)) {
      expect(statSync(join(root, source), { throwIfNoEntry: false }), `COPY ${source}`).toBeDefined();
    }
  }
  const workspaces = ['apps/server', 'apps/console', 'demo', 'bench', 'e2e', 'tools'];
  const install = dockerfile().findIndex(({ name, text }) => name === 'RUN' && text.startsWith('npm install'));
  const before = dockerfile()
    .slice(0, install)
    .map(({ text }) => text)
    .join('\n');
  for (const workspace of workspaces) expect(before).toContain(`${workspace}/package.json`);
  const env = dockerfile()
    .filter(({ name }) => name === 'ENV')
    .flatMap(({ text }) => text.split(/\s+/));
  expectKnown(env.map((pair) => pair.split('=', 1)[0] ?? ''));
  const exposed = dockerfile()
    .find(({ name }) => name === 'EXPOSE')
    ?.text.split(' ')
    .map(Number);
  expect(exposed).toEqual([PORTS.control, PORTS.gateway]);
});

const compose = asNode(parse(read('compose.yaml'), { merge: true }));
const services = Object.entries(asNode(compose['services']));

test('compose has a single machine and a whole fleet', () => {
  const inProfile = (profile: string): string[] =>
    services.filter(([, service]) => asList(at(service, 'profiles')).includes(profile)).map(([name]) => name);
  expect(inProfile('single')).toEqual(['cordon']);
  expect(inProfile('fleet')).toEqual(
    expect.arrayContaining([
      'postgres',
      'clickhouse',
      'valkey',
      'migrate',
      'control',
      'worker',
      'gateway-1',
      'gateway-2',
    ]),
  );
  expect(services.filter(([, service]) => asList(at(service, 'profiles')).length === 0)).toEqual([]);
});

test.each(services)(
  'compose service %s is pinned, bounded, hardened and reachable only where it should be',
  (name, service) => {
    expectPinned(String(at(service, 'image')));
    expect(at(service, 'deploy', 'resources', 'limits')).toMatchObject({
      cpus: expect.any(String),
      memory: expect.any(String),
    });
    expectKnown(Object.keys(asNode(at(service, 'environment'))));
    for (const published of asList(at(service, 'ports'))) {
      expect(published).toMatch(new RegExp(`^127\\.0\\.0\\.1:\\d+:(${PORTS.control}|${PORTS.gateway})$`));
    }
    const file = JSON.stringify(at(service, 'env_file') ?? []);
    expect(file.includes('engines.env')).toBe(['control', 'worker', 'migrate'].includes(name));
    if (!String(at(service, 'image')).startsWith('cordon:')) return;
    expect(service).toMatchObject({
      read_only: true,
      user: '10001:10001',
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(asList(at(service, 'command')).length).toBeGreaterThan(0);
  },
);

test.each([
  ['worker', PORTS.worker],
  ['gateway-1', PORTS.metrics],
  ['gateway-2', PORTS.metrics],
] as const)('compose asks %s for its health on port %i', (name, port) => {
  const service = Object.fromEntries(services)[name];
  expect(JSON.stringify(at(service, 'healthcheck', 'test'))).toContain(`127.0.0.1:${port}/readyz`);
});

test('make-env.sh makes secrets that the configuration takes, readable by their owner only, and never twice', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cordon-env-'));
  try {
    const make = () => execFileSync('sh', [join(DEPLOY, 'make-env.sh'), folder], { stdio: 'pipe' });
    make();
    expect(() => make()).toThrow(/exists already/);
    const files = readdirSync(folder);
    expect(files.map((file) => statSync(join(folder, file)).mode & 0o077)).toEqual(files.map(() => 0));
    const lines = ['keys.env', 'engines.env'].flatMap((file) =>
      readFileSync(join(folder, file), 'utf8').trim().split('\n'),
    );
    const env = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expectKnown(Object.keys(env));
    const config = parseConfig({ env });
    expect(Buffer.from(config.kek ?? '', 'base64')).toHaveLength(32);
    const password = (file: string): string =>
      /PASSWORD=(.+)/.exec(readFileSync(join(folder, file), 'utf8'))?.[1] ?? 'none';
    expect(config.database_url).toContain(password('postgres.env'));
    expect(config.clickhouse_url).toContain(password('clickhouse.env'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

const CHART = join(DEPLOY, 'helm/cordon');
const TEMPLATES = readdirSync(join(CHART, 'templates')).filter((name) => name.endsWith('.yaml'));
const values = asNode(parse(read('helm/cordon/values.yaml')));

/**
 * A template as plain YAML: lines that only steer are dropped, an expression inside a line becomes a word. Enough to
 * see structure; `helm template` below renders the real thing where there is a helm.
 */
function outline(name: string): Node[] {
  const text = read(`helm/cordon/templates/${name}`)
    .split('\n')
    .filter((line) => !/^\s*\{\{-?.*-?\}\}\s*$/.test(line))
    .map((line) => line.replaceAll(/"?\{\{[^}]*\}\}"?/g, 'x'))
    .join('\n');
  return parseAllDocuments(text).map((document) => {
    expect(document.errors, `errors of ${name}`).toEqual([]);
    return asNode(document.toJS());
  });
}

const workloads = TEMPLATES.flatMap((name) => outline(name)).filter((one) => at(one, 'spec', 'template') !== undefined);
const byComponent = workloads.map(
  (one) => [String(at(one, 'metadata', 'labels', 'app.kubernetes.io/component')), one] as const,
);

test('the chart has what a fleet needs', () => {
  const kinds = TEMPLATES.flatMap((name) => outline(name)).map((one) => one['kind']);
  for (const kind of [
    'Deployment',
    'StatefulSet',
    'Service',
    'PodDisruptionBudget',
    'NetworkPolicy',
    'HorizontalPodAutoscaler',
    'Job',
  ]) {
    expect(kinds).toContain(kind);
  }
  expect(kinds).not.toContain('Secret');
  expect(byComponent.map(([name]) => name).toSorted()).toEqual(['control', 'gateway', 'migrate', 'worker']);
});

test.each(byComponent)('the chart runs %s unprivileged, bounded and probed', (component, workload) => {
  const pod = at(workload, 'spec', 'template', 'spec');
  expect(pod).toMatchObject({
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
  });
  const container = at(pod, 'containers', 0);
  expect(at(container, 'securityContext')).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
  expect(at(container, 'args')).toEqual(['role', component]);
  const resources = asNode(at(values, component, 'resources'));
  expect(at(resources, 'requests', 'cpu')).toBeDefined();
  expect(at(resources, 'limits', 'memory')).toBeDefined();
  expectKnown(asList(at(container, 'env')).map((one) => String(at(one, 'name'))));
  const source =
    TEMPLATES.map((name) => read(`helm/cordon/templates/${name}`)).find((text) =>
      text.includes(`args: [role, ${component}]`),
    ) ?? '';
  expect(source.includes('.Values.secrets.engines')).toBe(component !== 'gateway');
  expect(source.includes('.Values.secrets.keys')).toBe(component !== 'migrate');
  if (component === 'migrate') return;
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
    const path = probe === 'readinessProbe' ? '/readyz' : '/healthz';
    expect(at(container, probe, 'httpGet', 'path')).toBe(path);
  }
  // Drain and the pause before it must fit.
  expect(Number(at(pod, 'terminationGracePeriodSeconds'))).toBeGreaterThanOrEqual(30);
});

test.each([
  ['control', [PORTS.control]],
  ['worker', [PORTS.worker]],
  ['gateway', [PORTS.gateway, PORTS.metrics]],
] as const)('the chart opens the ports of %s where the configuration puts them', (component, ports) => {
  const workload = Object.fromEntries(byComponent)[component];
  const opened = asList(at(workload, 'spec', 'template', 'spec', 'containers', 0, 'ports'));
  expect(opened.map((one) => at(one, 'containerPort'))).toEqual(ports);
});

function helm(...args: readonly string[]): string | null {
  try {
    return execFileSync('helm', args, { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

const SET = ['--set', 'publicUrl=https://cordon.example.org,gatewayPublicUrl=https://gateway.example.org'];
const VARIANTS = [
  [],
  [
    '--set',
    'control.ingress.enabled=true,control.ingress.host=cordon.example.org,control.ingress.tlsSecret=cordon-tls',
  ],
  ['--set', 'gateway.appPorts={9443,9444},networkPolicy.enabled=false,gateway.service.type=ClusterIP,secrets.valkey=v'],
];

const HELM = helm('version') !== null;

test.skipIf(!HELM)(`helm lints and renders the chart${HELM ? '' : ' (skipped: helm absent)'}`, () => {
  expect(helm('lint', '--strict', CHART, ...SET)).toContain('0 chart(s) failed');
  for (const variant of VARIANTS) {
    const documents = parseAllDocuments(helm('template', 'cordon', CHART, ...SET, ...variant) ?? '');
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    expect(documents.length).toBeGreaterThan(10);
    for (const document of documents) {
      const one = asNode(document.toJS());
      for (const container of asList(at(one, 'spec', 'template', 'spec', 'containers'))) {
        expectPinned(String(at(container, 'image')));
        expect(at(container, 'resources', 'limits', 'memory')).toBeDefined();
      }
    }
  }
  expect(() => helm('template', 'cordon', CHART)).toThrow(/publicUrl is needed/);
});

test('the systemd unit runs as its own user, with variables and paths that exist', () => {
  const unit = read('systemd/cordon.service');
  const entries = [...unit.matchAll(/^(\w+)=(.*)$/gm)].map((match) => [match[1] ?? '', match[2] ?? ''] as const);
  const valueOf = (key: string): string | undefined => entries.find(([name]) => name === key)?.[1];
  expect(valueOf('User')).toBe('cordon');
  expect(valueOf('NoNewPrivileges')).toBe('yes');
  expect(valueOf('ProtectSystem')).toBe('strict');
  expect(valueOf('ExecStart')).toMatch(/\/cordon up$/);
  expect(valueOf('KillMode')).toBe('mixed');
  const environment = entries
    .filter(([name]) => name === 'Environment')
    .map(([, value]) => value.split('=', 1)[0] ?? '');
  expectKnown(environment);
});

test('guides name only variables, keys and error codes that exist', () => {
  const keys = new Set(describeConfig().map(({ path }) => path));
  const codes = readFileSync(join(DEPLOY, '../docs/reference/errors.md'), 'utf8');
  for (const guide of ['install.md', 'operate.md']) {
    const text = readFileSync(join(DEPLOY, '../docs/guide', guide), 'utf8');
    const variables = [...text.matchAll(/\b(CORDON_[A-Z_]+|DATABASE_URL|CLICKHOUSE_URL|VALKEY_URL)\b/g)].map(
      (match) => match[0],
    );
    const cli = /^CORDON_(URL|TOKEN|CONFIG)$/;
    expect(
      [...new Set(variables)].filter((name) => !(name in CONFIG_ENVIRONMENT) && !cli.test(name)),
      `variables in ${guide}`,
    ).toEqual([]);
    const named = [...text.matchAll(/`((?:control|gateway|worker|lake|tokens)\.[a-z_]+(?:\.[a-z_]+)*)`/g)];
    const unknown = named
      .map((match) => match[1] ?? '')
      .filter((name) => !keys.has(name) && !codes.includes(`\`${name}\``) && !/\.(pem|key|id)$/.test(name));
    expect(unknown, `named in ${guide}`).toEqual([]);
  }
});
