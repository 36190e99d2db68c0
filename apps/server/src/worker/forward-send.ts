import { setTimeout } from 'node:timers/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect as connectTcp, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createS3Store, type FetchS3, type ObjectStore } from '@cordon/backup';
import {
  batchId,
  elasticBody,
  elasticOutcome,
  failed,
  type ForwardEvent,
  type ForwardTarget,
  type Outcome,
  s3Object,
  splunkBody,
  syslogFrames,
  TAKEN,
  webhookHeaders,
} from '@cordon/detection';
import { checkLiteralHost, guardedLookup, signAws } from '@cordon/gateway';
import type { Clock } from '@cordon/kernel';

const SEND_MS_MAX = 30_000;
const CLOSE_MS = 200;
const ANSWER_BYTES_MAX = 16 * 1_048_576;
const SAID_CHARS_MAX = 300;

interface Way {
  readonly privateAddresses: readonly string[];
  readonly ca?: string | null;
  /** Of an answer; what is longer is an error. */
  readonly answerBytesMax?: number;
}

interface Answer {
  readonly status: number;
  readonly bytes: Buffer<ArrayBuffer>;
}

const textOf = ({ bytes }: Answer): string => bytes.toString('utf8');

interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** One request to an address that an administrator gave; private ones are refused unless listed. No redirects. */
function request(
  url: URL,
  { method, headers, body }: Sent,
  { privateAddresses, ca, answerBytesMax = ANSWER_BYTES_MAX }: Way,
): Promise<Answer> {
  checkLiteralHost(url.hostname, privateAddresses);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = send(
      url,
      {
        method,
        agent: false,
        lookup: guardedLookup(privateAddresses),
        signal: AbortSignal.timeout(SEND_MS_MAX),
        headers: { 'user-agent': 'cordon', ...headers, 'content-length': Buffer.byteLength(body) },
        ...(ca && { ca }),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > answerBytesMax) answer.destroy(new Error('The answer is too long.'));
          else chunks.push(chunk);
        });
        answer.once('error', reject);
        answer.once('end', () => resolve({ status: answer.statusCode ?? 0, bytes: Buffer.concat(chunks) }));
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}

const isGood = ({ status }: Answer): boolean => status >= 200 && status <= 299;
const said = (answer: Answer): string => {
  const text = textOf(answer).trim().slice(0, SAID_CHARS_MAX);
  return `The target answered ${answer.status}${text === '' ? '.' : `: ${text}`}`;
};

/**
 * Writes all of it, and waits until the other side closes after us. Syslog has no acknowledgement; this is as near as
 * TCP comes to one: who closes before our end has not read to it, and the pause lets such a close arrive.
 */
function pour(
  bytes: Buffer,
  { host, port, transport }: { readonly host: string; readonly port: number; readonly transport: 'tcp' | 'tls' },
  { privateAddresses, ca }: Way,
): Promise<void> {
  checkLiteralHost(host, privateAddresses);
  const common = { host, port, lookup: guardedLookup(privateAddresses), allowHalfOpen: true };
  return new Promise((resolve, reject) => {
    const socket =
      transport === 'tls'
        ? connectTls({ ...common, ...(isIP(host) === 0 && { servername: host }), ...(ca && { ca }) })
        : connectTcp(common);
    const late = AbortSignal.timeout(SEND_MS_MAX);
    const tooLate = (): void => void socket.destroy(new Error('The target did not take the batch in time.'));
    late.addEventListener('abort', tooLate, { once: true });
    let [areWeDone, isEnded] = [false, false];
    const finish = async (): Promise<void> => {
      await setTimeout(CLOSE_MS);
      areWeDone = true;
      socket.end();
    };
    socket.once(transport === 'tls' ? 'secureConnect' : 'connect', () => {
      socket.write(bytes, (error) => {
        if (!error) void finish();
      });
    });
    socket.once('end', () => {
      if (areWeDone) isEnded = true;
      else socket.destroy(new Error('The target closed the connection before it had everything.'));
    });
    socket.resume();
    socket.once('error', reject);
    socket.once('close', () => {
      late.removeEventListener('abort', tooLate);
      if (isEnded) resolve();
      else reject(new Error('The target closed the connection before it had everything.'));
    });
  });
}

/** S3 requests by the guarded way. */
function guardedFetch(way: Way): FetchS3 {
  return async (url, { method, headers, body }) => {
    const sent = { method, headers: Object.fromEntries(headers), body: body ?? '' };
    const { status, bytes } = await request(new URL(url), sent, way);
    return new Response(status === 204 ? null : bytes, { status });
  };
}

/** A bucket at an address that an administrator gave. */
export function openGuardedS3(
  settings: {
    readonly endpoint: string;
    readonly region: string;
    readonly bucket: string;
    readonly prefix: string;
    readonly accessKeyId: string;
  },
  secretAccessKey: string,
  way: Way,
  clock: Clock,
): ObjectStore {
  const { endpoint, region, bucket, prefix, accessKeyId } = settings;
  return createS3Store({
    settings: { endpoint, region, bucket, prefix, lock: null },
    sign: ({ now, ...toSign }) =>
      signAws(toSign, { accessKeyId, secretAccessKey }, { region, service: 's3', now, literalPath: true }),
    clock,
    pause: (ms) => setTimeout(ms),
    send: guardedFetch(way),
  });
}

/** Gives a batch to a target. Resolves when the target has it; throws, or says why not, when it must be sent again. */
export async function sendForward(
  { settings, privateAddresses }: Pick<ForwardTarget, 'settings' | 'privateAddresses'>,
  secret: string,
  events: readonly ForwardEvent[],
  clock: Clock,
): Promise<Outcome> {
  const way = { privateAddresses, ...('ca' in settings && { ca: settings.ca }) };
  switch (settings.kind) {
    case 'splunk': {
      const headers = { authorization: `Splunk ${secret}`, 'content-type': 'application/json' };
      const answer = await request(
        new URL(settings.url),
        { method: 'POST', headers, body: splunkBody(events, settings) },
        way,
      );
      return isGood(answer) ? TAKEN : failed(said(answer));
    }
    case 'elastic': {
      const headers = { authorization: `ApiKey ${secret}`, 'content-type': 'application/x-ndjson' };
      const url = new URL(`${settings.url.replace(/\/+$/, '')}/_bulk`);
      const answer = await request(url, { method: 'POST', headers, body: elasticBody(events, settings.index) }, way);
      return isGood(answer) ? elasticOutcome(textOf(answer), events.length) : failed(said(answer));
    }
    case 'webhook': {
      const body = JSON.stringify({ type: 'cordon.events', events: events.map(({ event }) => event) });
      const signed = webhookHeaders(body, { id: batchId(events), key: secret, now: clock.now() });
      const headers = { 'content-type': 'application/json', ...signed };
      const answer = await request(new URL(settings.url), { method: 'POST', headers, body }, way);
      return isGood(answer) ? TAKEN : failed(said(answer));
    }
    case 'syslog':
      await pour(syslogFrames(events, 'cordon'), settings, way);
      return TAKEN;
    case 's3':
      break;
  }
  const store = openGuardedS3(settings, secret, way, clock);
  const { name, bytes } = s3Object(events);
  await store.put(name, bytes);
  return TAKEN;
}
