import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface ReceivedMail {
  readonly to: readonly string[];
  readonly data: string;
  /** The body, with quoted-printable undone. */
  readonly text: string;
}

/** A small SMTP server (RFC 5321) on loopback that keeps what it gets. For tests. */
export interface MailServer {
  readonly url: string;
  readonly received: readonly ReceivedMail[];
  /** The next message to an address that has not been handed out yet; waits for it. */
  take(to: string): Promise<ReceivedMail>;
  stop(): Promise<void>;
}

const WAIT_MS_MAX = 20_000;

function bodyOf(data: string): string {
  const at = data.indexOf('\r\n\r\n');
  const [head, body] = [data.slice(0, at), data.slice(at + 4)];
  if (/content-transfer-encoding:\s*base64/i.test(head)) return Buffer.from(body, 'base64').toString('utf8');
  if (!/content-transfer-encoding:\s*quoted-printable/i.test(head)) return body;
  const joined = body.replaceAll(/=\r?\n/g, '');
  const bytes = joined.replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

export async function startMailServer(): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const taken = new Set<ReceivedMail>();
  const waiting = new Set<() => void>();
  const server = createServer((socket) => {
    let [buffer, inData] = ['', false];
    let to: string[] = [];
    const say = (line: string): void => void socket.write(`${line}\r\n`);
    const hear = (line: string): void => {
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === 'EHLO' || verb === 'HELO') say('250 localhost');
      else if (verb === 'RCPT') {
        to.push(/<([^>]*)>/.exec(line)?.[1] ?? '');
        say('250 OK');
      } else if (verb === 'DATA') {
        inData = true;
        say('354 go on');
      } else if (verb === 'QUIT') {
        say('221 bye');
        socket.end();
      } else say('250 OK');
    };
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      buffer += chunk.toString('latin1');
      for (;;) {
        const end = inData ? buffer.indexOf('\r\n.\r\n') : buffer.indexOf('\r\n');
        if (end < 0) return;
        const piece = buffer.slice(0, end);
        buffer = buffer.slice(end + (inData ? 5 : 2));
        if (!inData) {
          hear(piece);
          continue;
        }
        inData = false;
        const data = piece.replaceAll('\r\n..', '\r\n.');
        received.push({ to, data, text: bodyOf(data) });
        to = [];
        say('250 kept');
        for (const wake of waiting) wake();
      }
    });
    say('220 localhost ready');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const find = (to: string): ReceivedMail | undefined =>
    received.find((mail) => mail.to.includes(to) && !taken.has(mail));
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    async take(to) {
      const end = AbortSignal.timeout(WAIT_MS_MAX);
      for (;;) {
        const mail = find(to);
        if (mail) {
          taken.add(mail);
          return mail;
        }
        if (end.aborted) throw new Error(`no mail to ${to} came; there are ${received.length} others`);
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.add(resolve);
        end.addEventListener('abort', () => resolve(), { once: true });
        await promise;
        waiting.delete(resolve);
      }
    },
    async stop() {
      server.close();
      await once(server, 'close');
    },
  };
}
