import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = '/usr/share/simplesamlphp';
const START_MS_MAX = 15_000;

/** Debian packages that are missing for these tests; empty when all are there. */
export function missingSimplesaml(): string[] {
  return [
    ...(existsSync(join(ROOT, 'www/module.php')) ? [] : ['simplesamlphp']),
    ...(existsSync('/usr/bin/php') ? [] : ['php-cli']),
  ];
}

export interface SimplesamlPerson {
  readonly login: string;
  readonly password: string;
  readonly email: string;
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Simplesaml {
  readonly metadata: string;
  /** Tells the provider of a service provider; it reads its files on every request. */
  trust(sp: {
    readonly entityId: string;
    readonly acsUrl: string;
    readonly sloUrl: string;
    readonly certificate: string;
  }): Promise<void>;
  log(): Promise<string>;
  stop(): Promise<void>;
}

function php(value: unknown): string {
  if (typeof value === 'string') return `'${value.replace(/[\\']/g, '\\$&')}'`;
  if (Array.isArray(value)) return `[${value.map(php).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `[${Object.entries(value)
      .map(([key, one]) => `${php(key)} => ${php(one)}`)
      .join(', ')}]`;
  }
  return String(value);
}

/** SimpleSAMLphp as a corporate identity provider, on PHP's own server on loopback, in a folder of its own. */
export async function startSimplesaml(
  port: number,
  pair: { readonly key: string; readonly certificate: string },
  people: readonly SimplesamlPerson[],
): Promise<Simplesaml> {
  const dir = await mkdtemp(join(tmpdir(), 'cordon-simplesaml-'));
  const url = `http://localhost:${port}`;
  for (const name of ['metadata', 'cert', 'log', 'sessions', 'data', 'tmp']) await mkdir(join(dir, name));
  const write = (name: string, text: string): Promise<void> => writeFile(join(dir, name), text);
  await write('cert/server.pem', pair.key);
  await write('cert/server.crt', pair.certificate);
  await write(
    'config.php',
    `<?php $config = ${php({
      baseurlpath: `${url}/`,
      certdir: `${dir}/cert/`,
      loggingdir: `${dir}/log/`,
      datadir: `${dir}/data/`,
      tempdir: `${dir}/tmp/`,
      metadatadir: `${dir}/metadata/`,
      'metadata.sources': [{ type: 'flatfile', directory: `${dir}/metadata/` }],
      'logging.handler': 'file',
      'logging.level': 7,
      secretsalt: 'a-salt-of-a-test',
      'auth.adminpassword': 'a-password-of-a-test',
      'enable.saml20-idp': true,
      'module.enable': { exampleauth: true, core: true, saml: true },
      'store.type': 'phpsession',
      'session.cookie.secure': false,
      'session.phpsession.savepath': `${dir}/sessions`,
      'session.phpsession.cookiename': 'SimpleSAML',
      'language.default': 'en',
      production: true,
    })};`,
  );
  const accounts = people.map(({ login, password, email, name, groups }) => [
    `${login}:${password}`,
    { uid: [login], mail: [email], displayName: [name], groups: [...groups] },
  ]);
  await write(
    'authsources.php',
    `<?php $config = ['people' => ${php({ 0: 'exampleauth:UserPass', ...Object.fromEntries(accounts) }).replace("'0' =>", '0 =>')}];`,
  );
  await write(
    'metadata/saml20-idp-hosted.php',
    `<?php $metadata['__DYNAMIC:1__'] = ${php({
      host: '__DEFAULT__',
      privatekey: 'server.pem',
      certificate: 'server.crt',
      auth: 'people',
      'signature.algorithm': 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    })};`,
  );
  await write('metadata/saml20-sp-remote.php', '<?php');
  const quiet = ['-d', 'display_errors=0', '-d', `session.save_path=${dir}/sessions`, '-d', 'opcache.enable=0'];
  const child: ChildProcess = spawn('/usr/bin/php', [...quiet, '-S', `localhost:${port}`, '-t', join(ROOT, 'www')], {
    env: { PATH: process.env['PATH'] ?? '', SIMPLESAMLPHP_CONFIG_DIR: dir, PHP_CLI_SERVER_WORKERS: '2' },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const log = async (): Promise<string> =>
    errors + (await readFile(join(dir, 'log/simplesamlphp.log'), 'utf8').catch(() => ''));
  const end = Date.now() + START_MS_MAX;
  let metadata = '';
  for (;;) {
    if (child.exitCode !== null) throw new Error(`php ended with ${child.exitCode}: ${await log()}`);
    const answer = await fetch(`${url}/saml2/idp/metadata.php`).catch(() => null);
    if (answer?.ok) {
      metadata = await answer.text();
      break;
    }
    if (Date.now() > end)
      throw new Error(
        `simplesamlphp did not answer (${answer?.status}): ${await log()} ${(await answer?.text())?.slice(0, 2_000)}`,
      );
    await new Promise((done) => {
      setTimeout(done, 100);
    });
  }
  return {
    metadata,
    log,
    trust: ({ entityId, acsUrl, sloUrl, certificate }) =>
      write(
        'metadata/saml20-sp-remote.php',
        `<?php $metadata[${php(entityId)}] = ${php({
          AssertionConsumerService: acsUrl,
          SingleLogoutService: sloUrl,
          NameIDFormat: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
          'simplesaml.nameidattribute': 'uid',
          'saml20.sign.assertion': true,
          'saml20.sign.response': true,
          'validate.authnrequest': true,
          'validate.logout': true,
          'sign.logout': true,
          certData: certificate.replace(/-----[^-]+-----|\s/g, ''),
        })};`,
      ),
    async stop() {
      const exited = once(child, 'exit');
      // Its workers are children of the process that was started here, and of nobody else.
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
      await exited;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
