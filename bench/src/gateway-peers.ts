import { type ChildProcess, spawn } from 'node:child_process';
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import fs from 'node:fs';
import { createConnection, createServer } from 'node:net';
import path from 'node:path';

/**
 * Proxies that others run for the same job, each in one process with one worker: HAProxy alone, HAProxy with JWT
 * verification and a stick-table limit, nginx with ModSecurity v3 and the OWASP Core Rule Set on both bodies. They come
 * from Debian (`apt-get install haproxy libnginx-mod-http-modsecurity modsecurity-crs`); what is absent is left out and
 * said so.
 */
export interface Peer {
  readonly name: string;
  readonly port: number;
  readonly token: string;
  /** Processor time in microseconds and resident bytes, of all its processes together. */
  usage(): { cpuMicros: number; rss: number };
  stop(): void;
}

const HAPROXY = '/usr/sbin/haproxy';
const NGINX = '/usr/sbin/nginx';
const MODSECURITY = '/usr/lib/nginx/modules/ngx_http_modsecurity_module.so';
const RULES = '/usr/share/modsecurity-crs';
const START_MS_MAX = 20_000;
/** USER_HZ of Linux, in which /proc counts processor time. */
const TICK_MICROS = 10_000;
const PAGE_BYTES = 4096;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return typeof address === 'object' && address ? address.port : 0;
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** A process and its children: HAProxy and nginx keep the work in workers. */
function family(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  const children = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim() : '';
  return [
    pid,
    ...children
      .split(' ')
      .filter(Boolean)
      .flatMap((child) => family(Number(child))),
  ];
}

function usageOf(pid: number): { cpuMicros: number; rss: number } {
  let cpuMicros = 0;
  let rss = 0;
  for (const one of family(pid)) {
    // proc(5): what follows the name in brackets begins with field 3; utime is 14, stime 15, rss 24 (pages).
    const fields = fs
      .readFileSync(`/proc/${one}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .map(Number);
    cpuMicros += ((fields[11] ?? 0) + (fields[12] ?? 0)) * TICK_MICROS;
    rss += (fields[21] ?? 0) * PAGE_BYTES;
  }
  return { cpuMicros, rss };
}

async function launch(
  name: string,
  command: string,
  given: readonly string[],
  port: number,
  token: string,
): Promise<Peer> {
  const child: ChildProcess = spawn(command, given, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2000)));
  const pid = child.pid ?? 0;
  const end = Date.now() + START_MS_MAX;
  while (!(await reachable(port))) {
    if (child.exitCode !== null || Date.now() > end) {
      child.kill('SIGKILL');
      throw new Error(`${name} did not start: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { name, port, token, usage: () => usageOf(pid), stop: () => child.kill('SIGTERM') };
}

function jwt(algorithm: 'ES256' | 'RS256', key: KeyObject): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const expires = Math.floor(Date.now() / 1000) + 86_400;
  const claims = { iss: 'https://cordon.example', sub: 'int-1', aud: 'bench', exp: expires, scope: 'items' };
  const signed = `${part({ alg: algorithm, typ: 'at+jwt', kid: 'key-1' })}.${part(claims)}`;
  const signature = createSign('SHA256').update(signed).sign({ key, dsaEncoding: 'ieee-p1363' }, 'base64url');
  return `${signed}.${signature}`;
}

/** One thread, keep-alive both ways; the tracked key is the token, as a gateway counts for each caller. */
function haproxyConfig(port: number, upstream: string, check: string): string {
  return `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  option http-keep-alive
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend gateway
  bind 127.0.0.1:${port}
${check}  default_backend api
backend api
  server one ${new URL(upstream).host}
`;
}

function jwtCheck(algorithm: string, keyFile: string): string {
  return `  stick-table type string len 64 size 10k expire 60s store http_req_rate(1s)
  http-request set-var(txn.token) http_auth_bearer
  http-request set-var(txn.alg) http_auth_bearer,jwt_header_query('$.alg')
  http-request set-var(txn.iss) http_auth_bearer,jwt_payload_query('$.iss')
  http-request set-var(txn.sub) http_auth_bearer,jwt_payload_query('$.sub')
  http-request set-var(txn.exp) http_auth_bearer,jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless { var(txn.alg) -m str ${algorithm} }
  http-request deny deny_status 401 unless { var(txn.iss) -m str https://cordon.example }
  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  http-request deny deny_status 401 unless { var(txn.token),jwt_verify(txn.alg,"${keyFile}") 1 }
  http-request track-sc0 var(txn.sub)
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 10000000 }
  http-request del-header authorization
  http-request set-header authorization "Bearer vendor-secret"
`;
}

async function startHaproxy(folder: string, upstream: string, algorithm?: 'ES256' | 'RS256'): Promise<Peer> {
  const port = await freePort();
  const name = algorithm === undefined ? 'HAProxy, plain' : `HAProxy, ${algorithm} and a limit`;
  const file = path.join(folder, `haproxy-${algorithm ?? 'plain'}.cfg`);
  let token = '';
  let check = '';
  if (algorithm !== undefined) {
    const { publicKey, privateKey } =
      algorithm === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
    const keyFile = path.join(folder, `${algorithm}.pem`);
    fs.writeFileSync(keyFile, publicKey.export({ type: 'spki', format: 'pem' }));
    token = jwt(algorithm, privateKey);
    check = jwtCheck(algorithm, keyFile);
  }
  fs.writeFileSync(file, haproxyConfig(port, upstream, check));
  return launch(name, HAPROXY, ['-db', '-f', file], port, token);
}

async function startNginx(folder: string, upstream: string): Promise<Peer> {
  const port = await freePort();
  const rules = path.join(folder, 'modsecurity.conf');
  // The recommended settings, refusing instead of only detecting, with JSON answers read as well. CRS as Debian has it.
  fs.writeFileSync(
    rules,
    `SecRuleEngine On
SecRequestBodyAccess On
SecRule REQUEST_HEADERS:Content-Type "^application/json" "id:'200001',phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRequestBodyLimit 13107200
SecRequestBodyNoFilesLimit 131072
SecResponseBodyAccess On
SecResponseBodyMimeType text/plain text/html text/xml application/json
SecResponseBodyLimit 524288
SecAuditEngine Off
SecPcreMatchLimit 100000
SecPcreMatchLimitRecursion 100000
Include /etc/modsecurity/crs/crs-setup.conf
Include ${RULES}/rules/*.conf
`,
  );
  const file = path.join(folder, 'nginx.conf');
  fs.writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log ${folder}/nginx.log crit;
${process.getuid?.() === 0 ? 'user root;' : ''}
load_module ${MODSECURITY};
events { worker_connections 1024; }
http {
  access_log off; client_body_buffer_size 128k; proxy_buffering on; proxy_buffers 32 16k;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f;
  uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  keepalive_requests 1000000000;
  upstream api { server ${new URL(upstream).host}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port}; server_name _;
    modsecurity on; modsecurity_rules_file ${rules};
    location / { proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  );
  return launch('nginx, ModSecurity and CRS', NGINX, ['-c', file, '-p', folder], port, '');
}

/** Starts what is installed; `absent` names what isn't. */
export async function startPeers(folder: string, upstream: string): Promise<{ peers: Peer[]; absent: string[] }> {
  const peers: Peer[] = [];
  const absent: string[] = [];
  if (fs.existsSync(HAPROXY)) {
    peers.push(await startHaproxy(folder, upstream));
    peers.push(await startHaproxy(folder, upstream, 'ES256'));
    peers.push(await startHaproxy(folder, upstream, 'RS256'));
  } else absent.push('haproxy');
  if (fs.existsSync(MODSECURITY) && fs.existsSync(RULES)) peers.push(await startNginx(folder, upstream));
  else absent.push('libnginx-mod-http-modsecurity modsecurity-crs');
  return { peers, absent };
}
