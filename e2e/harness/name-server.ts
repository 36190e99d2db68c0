import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Resolver } from 'node:dns/promises';
import { userInfo } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { freePorts } from './free-ports.ts';

const TRIES_MAX = 50;
const WAIT_MS = 100;
/** RFC 8659, section 4.1.1: the record's type. */
const CAA = 257;

/** Debian's dnsmasq as a name server of its own zone, on loopback. */
export interface NameServer {
  readonly address: string;
  stop(): Promise<void>;
}

const hex = (text: string): string => Buffer.from(text, 'ascii').toString('hex');
/** Flags, length of the tag, tag, value. */
const issue = (authority: string): string => `0005${hex('issue')}${hex(authority)}`;

/** Answers for `.test` only: hosts with their address, and names with the one authority that may issue for them. */
export async function startNameServer(zone: {
  readonly hosts: readonly string[];
  readonly issuers: Readonly<Record<string, string>>;
}): Promise<NameServer> {
  const port = await freePorts(1);
  const fixed = ['--keep-in-foreground', '--no-resolv', '--no-hosts', '--conf-file=/dev/null', '--pid-file='];
  const where = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', `--user=${userInfo().username}`];
  const hosts = zone.hosts.map((host) => `--host-record=${host},127.0.0.1`);
  const records = Object.entries(zone.issuers).map(([name, who]) => `--dns-rr=${name},${CAA},${issue(who)}`);
  const child: ChildProcess = spawn('/usr/sbin/dnsmasq', [...fixed, ...where, '--local=/test/', ...hosts, ...records], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const exited = once(child, 'exit');
  const address = `127.0.0.1:${port}`;
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([address]);
  for (let tries = 0; ; tries += 1) {
    const isThere = await resolver.resolve4(zone.hosts[0] ?? '').catch(() => null);
    if (isThere) break;
    if (tries >= TRIES_MAX || child.exitCode !== null) throw new Error('dnsmasq did not answer');
    await setTimeout(WAIT_MS);
  }
  return {
    address,
    async stop() {
      if (child.exitCode === null) child.kill('SIGTERM');
      await exited;
    },
  };
}
