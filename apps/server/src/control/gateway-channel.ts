import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { gatewayReport, readBlob, type RenewalResult, saveReport, type SnapshotService } from '@cordon/estate';
import type { Clock, Database, Logger } from '@cordon/kernel';
import type { TokenEntryInput } from '@cordon/policy';
import { z } from 'zod';
import { createInternalCheck } from '../internal-access.ts';

const BODY_BYTES_MAX = 64 * 1024;
/** Definitions of tools come a few at a time, each bounded. */
const REPORT_BYTES_MAX = 4 * 1024 * 1024;
/** An empty line now and then lets both ends notice a connection that died silently. */
const HEARTBEAT_MS = 5_000;
/** A gateway that reads slower than this many bytes behind is cut off and catches up by the full snapshot. */
const BACKLOG_BYTES_MAX = 64 * 1024 * 1024;

const introspectBody = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const certificateBody = z.object({ certificate: z.base64().max(32_768) });

const renewBody = z.object({ id: z.uuid(), generation: z.int().nonnegative() });

const consumeBody = introspectBody.extend({ requestId: z.string().min(1).max(100) });
const lockBody = z.object({
  address: z.union([z.ipv4(), z.ipv6()]),
  failures: z.int().nonnegative(),
  since: z.int().nonnegative(),
  lockedUntil: z.int().nonnegative(),
});

export interface GatewayChannelDeps {
  readonly db: Database;
  readonly snapshots: SnapshotService;
  readonly key: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Renews a vendor credential whose token of this generation a vendor refused. */
  readonly renewCredential: (id: string, generation: number) => Promise<RenewalResult>;
  /** Takes what a gateway saw of an MCP server that isn't what was accepted. */
  readonly reportMcpItems: (report: unknown) => Promise<void>;
  /** What an own detector looks for, by the hash of its bytes. */
  readonly ownDetector: (sha256: string) => Promise<Buffer | null>;
  readonly reportCertificate: (report: unknown) => Promise<void>;
  /** Takes one use of an approved token; false: it has none left. */
  readonly consumeApproval: (sha256: string, requestId: string) => Promise<boolean>;
  readonly noteLock: (lock: z.output<typeof lockBody>) => Promise<void>;
  /** A token for whoever proved to a gateway to hold this certificate's key (DER); null: nobody's. */
  readonly tokenForCertificate: (certificate: Buffer) => Promise<string | null>;
  readonly findToken: (sha256: string) => Promise<TokenEntryInput | null>;
}

async function readJson(request: IncomingMessage, bytesMax = BODY_BYTES_MAX): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > bytesMax) throw new Error('the body is too large');
  }
  return JSON.parse(text);
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

const sendJson = (response: ServerResponse, value: unknown): void =>
  send(response, 200, 'application/json', JSON.stringify(value));

/** What gateways ask of control: snapshot, deltas, epoch, blobs, introspection; and what they report. */
export function createGatewayChannel(deps: GatewayChannelDeps): {
  matches: (path: string) => boolean;
  handle: RequestListener;
  close(): void;
} {
  const { db, snapshots, clock, logger } = deps;
  const isInternal = createInternalCheck(deps.key);
  const streams = new Set<ServerResponse>();

  const stream = (request: IncomingMessage, response: ServerResponse, url: URL): void => {
    const since = Number(url.searchParams.get('since') ?? '0');
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const lines = snapshots.since(Number.isSafeInteger(since) ? since : 0);
    for (const line of lines) response.write(`${line}\n`);
    if (url.searchParams.get('wait') === '0') {
      response.end();
      return;
    }
    const unsubscribe = snapshots.subscribe((line) => {
      if (response.writableLength > BACKLOG_BYTES_MAX) response.destroy();
      else response.write(`${line}\n`);
    });
    const heartbeat = setInterval(() => response.write('\n'), HEARTBEAT_MS);
    streams.add(response);
    response.once('close', () => {
      clearInterval(heartbeat);
      unsubscribe();
      streams.delete(response);
    });
    request.resume();
  };

  const blob = async (response: ServerResponse, sha256: string): Promise<void> => {
    const isName = /^[0-9a-f]{64}$/.test(sha256);
    const bytes = isName ? ((await readBlob(db, sha256)) ?? (await deps.ownDetector(sha256))) : null;
    if (bytes) send(response, 200, 'application/octet-stream', bytes);
    else send(response, 404, 'text/plain', 'There is no such blob.');
  };

  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://control');
    const what = `${request.method} ${url.pathname.replace('/internal/gateway', '')}`;
    if (what === 'GET /epoch') return sendJson(response, snapshots.position());
    if (what === 'GET /snapshot') return send(response, 200, 'application/json', snapshots.full());
    if (what === 'GET /stream') return stream(request, response, url);
    if (what === 'GET /keys') return send(response, 200, 'application/x-pem-file', snapshots.publicKey);
    if (what === 'POST /status') {
      await saveReport(db, gatewayReport.parse(await readJson(request)), clock.now());
      return sendJson(response, {});
    }
    if (what === 'POST /mcp-items') {
      await deps.reportMcpItems(await readJson(request, REPORT_BYTES_MAX));
      return sendJson(response, {});
    }
    if (what === 'POST /certificates') {
      await deps.reportCertificate(await readJson(request));
      return sendJson(response, {});
    }
    if (what === 'POST /tokens/introspect') {
      const { sha256 } = introspectBody.parse(await readJson(request));
      const token = await deps.findToken(sha256);
      return sendJson(response, token ? { active: true, token } : { active: false });
    }
    if (what === 'POST /tokens/certificate') {
      const { certificate } = certificateBody.parse(await readJson(request));
      return sendJson(response, { token: await deps.tokenForCertificate(Buffer.from(certificate, 'base64')) });
    }
    if (what === 'POST /credentials/renew') {
      const { id, generation } = renewBody.parse(await readJson(request));
      return sendJson(response, { result: await deps.renewCredential(id, generation) });
    }
    if (what === 'POST /approvals/consume') {
      const { sha256, requestId } = consumeBody.parse(await readJson(request));
      return sendJson(response, { taken: await deps.consumeApproval(sha256, requestId) });
    }
    if (what === 'POST /locks') {
      await deps.noteLock(lockBody.parse(await readJson(request)));
      return sendJson(response, {});
    }
    if (what.startsWith('GET /blobs/')) return blob(response, url.pathname.split('/').at(-1) ?? '');
    return send(response, 404, 'text/plain', 'There is nothing here.');
  };

  return {
    matches: (path) => path.startsWith('/internal/'),
    handle(request, response) {
      if (!isInternal(request)) {
        send(response, 401, 'text/plain', 'Send the internal key.');
        return;
      }
      route(request, response).catch((error: unknown) => {
        logger.warn({ err: error, path: request.url }, 'an internal request failed');
        if (response.headersSent) response.destroy();
        else send(response, 500, 'text/plain', 'The request failed; control logged why.');
      });
    },
    close() {
      for (const response of streams) response.end();
    },
  };
}
