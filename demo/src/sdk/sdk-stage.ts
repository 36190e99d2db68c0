import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import {
  startTestGateway,
  startUpstream,
  TEST_TOKEN,
  type TestGateway,
  type UpstreamStub,
} from '@cordon/gateway/testing';
import { createSecretEnvelope } from '@cordon/kernel';
import { compileDescription } from '@cordon/openapi';
import type { AppEntryInput, GrantEntryInput } from '@cordon/policy';
import { createEmulator, type Emulator, type ServiceName } from 'emulate';

/** What an SDK calls of a vendor, under the ids of the vendor's own description. */
export interface SdkOperation {
  readonly id: string;
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Below the upstream: `/v3/contacts/{contactId}`. */
  readonly path: string;
  /** Media type of the request body, with the names that it must have. */
  readonly body?: { readonly type: string; readonly required?: readonly string[] };
}

/** One route of a stub: what it answers is decided from the request alone and what the stub remembers. */
export interface StubRoute {
  readonly method: string;
  readonly path: RegExp;
  answer(call: StubCall): {
    readonly status?: number;
    readonly body?: unknown;
    readonly headers?: Record<string, string>;
  };
}

export interface StubCall {
  readonly match: RegExpExecArray;
  readonly url: URL;
  readonly body: Buffer;
  readonly contentType: string;
  /** The stub's own address, which a vendor writes into links. */
  readonly origin: string;
}

/** A vendor on a loopback port. It refuses whoever doesn't send its own credential. */
export function startVendorStub(options: {
  /** The `Authorization` field that the vendor expects. */
  readonly authorization: string;
  readonly refusal: unknown;
  readonly routes: readonly StubRoute[];
}): Promise<UpstreamStub> {
  return startUpstream((request, body, response) => {
    const send = (status: number, value: unknown, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(value === undefined ? undefined : JSON.stringify(value));
    };
    if (request.headers.authorization !== options.authorization) return send(401, options.refusal);
    const origin = `http://${request.headers.host}`;
    const url = new URL(request.url ?? '/', origin);
    for (const route of options.routes) {
      const match = route.method === request.method ? route.path.exec(url.pathname) : null;
      if (!match) continue;
      const contentType = request.headers['content-type'] ?? '';
      const { status = 200, body: value, headers } = route.answer({ match, url, body, contentType, origin });
      return send(status, value, headers);
    }
    send(404, { message: 'no such route' });
  });
}

/** An emulator of `emulate` on a free port. */
export async function startEmulator(service: ServiceName, seed: Record<string, unknown>): Promise<Emulator> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  return createEmulator({ service, port, seed: { [service]: seed } });
}

function describe(name: string, operations: readonly SdkOperation[]): Buffer {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { id, method, path, body } of operations) {
    const parameters = [...path.matchAll(/\{([^}]+)\}/g)].map(([, parameter]) => ({
      name: parameter,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    }));
    const schema = body && { type: 'object', required: body.required ?? [] };
    const requestBody = body && { required: true, content: { [body.type]: { schema } } };
    const operation = { operationId: id, parameters, responses: {}, ...(requestBody ? { requestBody } : {}) };
    paths[path] = { ...paths[path], [method]: operation };
  }
  return Buffer.from(JSON.stringify({ openapi: '3.1.0', info: { title: name, version: '1' }, paths }));
}

export interface SdkStage {
  /** `http://127.0.0.1:<port>/<app>`. */
  readonly url: string;
  readonly gateway: TestGateway;
  /** Operations of the calls so far with what was decided, in the order of the events. */
  decisions(): Promise<string[]>;
  stop(): Promise<void>;
}

/**
 * The real gateway with one app. Of the operation `limited` one call a minute passes, the next is over the limit.
 */
export async function startSdkStage(options: {
  readonly app: string;
  readonly upstream: string;
  readonly operations?: readonly SdkOperation[];
  readonly settings?: Partial<AppEntryInput>;
  /** What the gateway attaches: `Bearer <secret>` or Basic `<user>:<secret>`. */
  readonly credential: { readonly kind: 'bearer' | 'basic'; readonly secret: string; readonly scheme?: string };
  readonly granted?: readonly string[];
  /** Instead of `granted`, for operations without a description. */
  readonly select?: GrantEntryInput['select'];
  readonly limited?: string;
}): Promise<SdkStage> {
  const compiled = options.operations && compileDescription(describe(options.app, options.operations));
  const description = compiled && { sha256: compiled.sha256, bytes: compiled.blob.length };
  const { kind, secret, scheme } = options.credential;
  const envelope = createSecretEnvelope({ keys: [randomBytes(32)] });
  const sealed = envelope.seal(secret, 'credential:app-1');
  const gateway = await startTestGateway({
    upstream: options.upstream,
    app: {
      name: options.app,
      title: options.app,
      unknownOperations: 'refuse',
      ...(description ? { description } : {}),
      credential: kind === 'basic' ? { kind, sealed } : { kind, sealed, ...(scheme === undefined ? {} : { scheme }) },
      ...options.settings,
    },
    grant: { select: options.select ?? [{ kind: 'operations', ids: [...(options.granted ?? [])] }] },
    blobs: compiled ? new Map([[compiled.sha256, compiled.blob]]) : new Map<string, Buffer>(),
    entries:
      options.limited === undefined
        ? {}
        : {
            'limit:limit-1': {
              id: 'limit-1',
              name: 'One a minute',
              scope: { operationId: options.limited },
              rate: { count: 1, periodMs: 60_000, burst: 1 },
            },
          },
    deps: { envelope },
  });
  return {
    url: `${gateway.url}/${options.app}`,
    gateway,
    decisions: async () => (await gateway.events()).map((event) => decisionOf(event)),
    stop: () => gateway.stop(),
  };
}

function decisionOf(event: Record<string, unknown>): string {
  const { api, status_id: status } = event as { api?: { operation?: string }; status_id?: number }; // OCSF API Activity
  return `${api?.operation ?? ''} ${status === 1 ? 'allowed' : 'refused'}`;
}

/** No request that a vendor saw may hold Cordon's token, wherever it was put. */
export function leaksToken(requests: UpstreamStub['requests']): boolean {
  const encoded = Buffer.from(`:${TEST_TOKEN}`).toString('base64').slice(4, -4);
  return requests.some(({ url, rawHeaders, body }) => {
    const text = `${url}\n${rawHeaders.join('\n')}\n${body.toString('latin1')}`;
    return text.includes(TEST_TOKEN) || text.includes(encoded);
  });
}
