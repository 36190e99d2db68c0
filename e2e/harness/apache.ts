import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MODULES = '/usr/lib/apache2/modules';
const NEEDED = ['mod_auth_openidc.so', 'mod_auth_mellon.so'];
const START_MS_MAX = 15_000;

/** Debian packages that are missing for these tests; empty when all are there. */
export function missingApache(): string[] {
  if (!existsSync('/usr/sbin/apache2')) return ['apache2'];
  return NEEDED.filter((file) => !existsSync(join(MODULES, file)));
}

export interface ApacheSettings {
  readonly port: number;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly idpMetadata: string;
  readonly pair: { readonly key: string; readonly certificate: string };
}

export interface Apache {
  log(): Promise<string>;
  stop(): Promise<void>;
}

/** A key and certificate for the SAML side, as its administrator would make them. */
export function makeSpPair(): { key: string; certificate: string } {
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=tool',
    '-days',
    '2',
    '-keyout',
    '-',
    '-out',
    '-',
  ];
  const text = execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] }).toString();
  const part = (name: string): string => {
    const found = new RegExp(`-----BEGIN ${name}-----[\\s\\S]+?-----END ${name}-----`).exec(text)?.[0];
    if (found === undefined) throw new Error(`openssl made no ${name}`);
    return `${found}\n`;
  };
  return { key: part('PRIVATE KEY'), certificate: part('CERTIFICATE') };
}

function configOf(dir: string, settings: ApacheSettings): string {
  const { port, issuer, clientId, clientSecret } = settings;
  const load = [
    'mpm_event',
    'authn_core',
    'authz_core',
    'authz_user',
    'dir',
    'headers',
    'mime',
    'setenvif',
    'auth_openidc',
    'auth_mellon',
  ];
  return [
    `ServerRoot "${dir}"`,
    `PidFile "${dir}/apache.pid"`,
    `Mutex file:${dir}`,
    `Listen 127.0.0.1:${port}`,
    `Listen [::1]:${port}`,
    'ServerName localhost',
    ...load.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`),
    ...(process.getuid?.() === 0 ? ['User www-data', 'Group www-data'] : []),
    `ErrorLog "${dir}/error.log"`,
    'LogLevel warn auth_openidc:info auth_mellon:info',
    'TypesConfig /etc/mime.types',
    `DocumentRoot "${dir}/www"`,
    `<Directory "${dir}/www">`,
    'Require all granted',
    'DirectoryIndex index.html',
    '</Directory>',
    // Else it marks its cookie SameSite=None, which browsers take over https alone.
    'SetEnvIf Request_URI .* MELLON_DISABLE_SAMESITE=1',
    `OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration`,
    `OIDCClientID ${clientId}`,
    `OIDCClientSecret ${clientSecret}`,
    `OIDCRedirectURI http://localhost:${port}/oidc/callback`,
    'OIDCCryptoPassphrase a-passphrase-of-a-test',
    'OIDCPKCEMethod S256',
    'OIDCScope "openid profile email"',
    'OIDCRemoteUserClaim email',
    '<Location "/oidc">',
    'AuthType openid-connect',
    'Require valid-user',
    'Header always set X-User "expr=%{REMOTE_USER}"',
    '</Location>',
    '<Location "/oidc/fresh">',
    'OIDCPathAuthRequestParams prompt=login&acr_values=phr',
    '</Location>',
    '<Location "/">',
    'MellonEnable info',
    `MellonSPentityId http://localhost:${port}/mellon`,
    `MellonSPPrivateKeyFile ${dir}/sp.key`,
    `MellonSPCertFile ${dir}/sp.pem`,
    `MellonIdPMetadataFile ${dir}/idp.xml`,
    'MellonEndpointPath /mellon',
    'MellonSignatureMethod rsa-sha256',
    'MellonUser email',
    '</Location>',
    '<Location "/oidc">',
    'MellonEnable off',
    '</Location>',
    '<Location "/saml">',
    'AuthType Mellon',
    'MellonEnable auth',
    'Require valid-user',
    'Header always set X-User "expr=%{REMOTE_USER}"',
    '</Location>',
    '',
  ].join('\n');
}

/** Apache with mod_auth_openidc before /oidc and mod_auth_mellon before /saml, on loopback, in a folder of its own. */
export async function startApache(settings: ApacheSettings): Promise<Apache> {
  const dir = await mkdtemp(join(tmpdir(), 'cordon-apache-'));
  await chmod(dir, 0o777);
  for (const name of ['oidc', 'oidc/fresh', 'saml', 'bye']) {
    await mkdir(join(dir, 'www', name), { recursive: true });
    await writeFile(join(dir, 'www', name, 'index.html'), `<title>tool</title><h1>The tool: ${name}</h1>`);
  }
  await writeFile(join(dir, 'sp.key'), settings.pair.key);
  await writeFile(join(dir, 'sp.pem'), settings.pair.certificate);
  await writeFile(join(dir, 'idp.xml'), settings.idpMetadata);
  await writeFile(join(dir, 'apache.conf'), configOf(dir, settings));
  const child: ChildProcess = spawn('/usr/sbin/apache2', ['-X', '-f', join(dir, 'apache.conf')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const log = async (): Promise<string> => errors + (await readFile(join(dir, 'error.log'), 'utf8').catch(() => ''));
  const end = Date.now() + START_MS_MAX;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`apache2 ended with ${child.exitCode}: ${await log()}`);
    const isUp = await fetch(`http://localhost:${settings.port}/bye/`).then(
      (response) => response.ok,
      () => false,
    );
    if (isUp) break;
    if (Date.now() > end) throw new Error(`apache2 did not answer: ${await log()}`);
    await new Promise((done) => {
      setTimeout(done, 100);
    });
  }
  return {
    log,
    async stop() {
      if (child.exitCode === null) {
        const exited = once(child, 'exit');
        child.kill('SIGKILL');
        await exited;
      }
      await rm(dir, { recursive: true, force: true });
    },
  };
}
