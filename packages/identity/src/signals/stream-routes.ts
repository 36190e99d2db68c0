import { CordonError } from '@cordon/kernel';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { SignalInvalid } from '../errors.ts';
import type { Identity } from '../identity.ts';
import { isRecord } from '../scim/scim-read.ts';
import type { SignalReceiver } from './receiver-store.ts';
import { SET_CHARS_MAX, SET_TYPE } from './set-token.ts';
import { pollBody, SSF_PATH, statusBody, streamBody, subjectBody, verifyBody } from './streams.ts';

export const SSF_METADATA_PATH = '/.well-known/ssf-configuration';
/** The gate leaves these to the bearer check below: a receiver has neither a session nor an API token. */
const open = { config: { public: true }, schema: { hide: true } } as const;
const POLL_WAIT_MS = 20_000;

class SsfRefused extends Error {
  readonly status: number;
  readonly err: string;
  constructor(status: number, err: string, text: string) {
    super(text);
    this.status = status;
    this.err = err;
  }
}

function refusalOf(error: unknown): SsfRefused {
  if (error instanceof SsfRefused) return error;
  if (error instanceof SignalInvalid) return new SsfRefused(400, String(error.detail['err']), error.message);
  if (error instanceof z.ZodError) return new SsfRefused(400, 'invalid_request', z.prettifyError(error).slice(0, 300));
  if (error instanceof CordonError) return new SsfRefused(404, 'invalid_request', error.message);
  const status =
    error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  return status >= 400 && status < 500
    ? new SsfRefused(status, 'invalid_request', 'The request can’t be read.')
    : new SsfRefused(500, 'internal', 'Something went wrong.');
}

/** JSON or a token as text, errors in the form of RFC 8935, section 2.3. */
function prepare(app: FastifyInstance): void {
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: SET_CHARS_MAX }, (request, body, done) => {
    const text = String(body);
    if ((request.headers['content-type'] ?? '').toLowerCase().startsWith(SET_TYPE)) return done(null, text);
    try {
      return done(null, text === '' ? {} : JSON.parse(text));
    } catch {
      return done(new SsfRefused(400, 'invalid_request', 'The body is not JSON.'));
    }
  });
  app.setErrorHandler(async (error, request, reply) => {
    const { status, err, message } = refusalOf(error);
    if (status >= 500) request.log.error({ err: error }, 'a request of shared signals failed');
    if (status === 401) reply.header('www-authenticate', 'Bearer realm="ssf"');
    await reply
      .status(status)
      .header('content-type', 'application/json')
      .send(JSON.stringify({ err, description: message }));
  });
}

async function receiverOf(identity: Identity, request: FastifyRequest): Promise<SignalReceiver> {
  const token = /^Bearer ([\w-]{1,200})$/i.exec(request.headers.authorization ?? '')?.[1];
  const found = token === undefined ? null : await identity.signals.streams.resolve(token);
  if (!found) throw new SsfRefused(401, 'authentication_failed', 'Send the token of a receiver as a bearer.');
  return found;
}

/** A receiver sees its own stream alone; another's is as absent as one that never was. */
function ownStream(receiver: SignalReceiver, id: string | undefined): SignalReceiver {
  if (receiver.stream && (id === undefined || id === receiver.id)) return receiver;
  throw new SsfRefused(404, 'invalid_request', 'There is no such stream.');
}

function askedStream(request: FastifyRequest): string | undefined {
  const id = isRecord(request.query) ? request.query['stream_id'] : undefined;
  return typeof id === 'string' ? id : undefined;
}

function addStream(app: FastifyInstance, identity: Identity): void {
  const { streams } = identity.signals;
  const path = `${SSF_PATH}/streams`;
  app.get(path, open, async (request) => {
    const receiver = await receiverOf(identity, request);
    const id = askedStream(request);
    if (id === undefined) return receiver.stream ? [streams.show(receiver)] : [];
    return streams.show(ownStream(receiver, id));
  });
  app.post(path, open, async (request, reply) => {
    const receiver = await receiverOf(identity, request);
    if (receiver.stream) throw new SsfRefused(409, 'invalid_request', 'This receiver has its stream already.');
    const made = await streams.write(receiver, 'POST', streamBody.parse(request.body));
    return reply.status(201).send(streams.show(made));
  });
  for (const method of ['PATCH', 'PUT'] as const) {
    app.route({
      method,
      url: path,
      ...open,
      handler: async (request) => {
        const body = streamBody.parse(request.body);
        const receiver = ownStream(await receiverOf(identity, request), body.stream_id);
        return streams.show(await streams.write(receiver, method, body));
      },
    });
  }
  app.delete(path, open, async (request, reply) => {
    await streams.remove(ownStream(await receiverOf(identity, request), askedStream(request)));
    return reply.status(204).send();
  });
  const status = ({ id, status: now, statusReason }: SignalReceiver) => ({
    stream_id: id,
    status: now,
    ...(statusReason === null ? {} : { reason: statusReason }),
  });
  app.get(`${SSF_PATH}/status`, open, async (request) =>
    status(ownStream(await receiverOf(identity, request), askedStream(request))),
  );
  app.post(`${SSF_PATH}/status`, open, async (request) => {
    const body = statusBody.parse(request.body);
    return status(await streams.setStatus(ownStream(await receiverOf(identity, request), body.stream_id), body));
  });
}

function addSubjects(app: FastifyInstance, identity: Identity): void {
  const { streams } = identity.signals;
  const change = async (request: FastifyRequest, included: boolean): Promise<void> => {
    const body = subjectBody.parse(request.body);
    await streams.changeSubject(ownStream(await receiverOf(identity, request), body.stream_id), body, included);
  };
  app.post(`${SSF_PATH}/subjects/add`, open, async (request, reply) => {
    await change(request, true);
    return reply.status(200).send({});
  });
  app.post(`${SSF_PATH}/subjects/remove`, open, async (request, reply) => {
    await change(request, false);
    return reply.status(204).send();
  });
  app.post(`${SSF_PATH}/verify`, open, async (request, reply) => {
    const body = verifyBody.parse(request.body);
    await streams.verify(ownStream(await receiverOf(identity, request), body.stream_id), body.state);
    return reply.status(204).send();
  });
}

function addDelivery(app: FastifyInstance, identity: Identity): void {
  const { signals } = identity;
  const { streams, intake } = signals;
  const idOf = (request: FastifyRequest): string => {
    const id = isRecord(request.params) ? request.params['id'] : undefined;
    return typeof id === 'string' ? id : '';
  };
  app.post(`${SSF_PATH}/poll/:id`, open, async (request, reply: FastifyReply) => {
    const receiver = ownStream(await receiverOf(identity, request), idOf(request));
    const body = pollBody.parse(request.body);
    const first = await streams.poll(receiver, body);
    const isEmpty = Object.keys(first.sets).length === 0;
    if (!isEmpty || body.returnImmediately === true || body.maxEvents === 0) return first;
    // Long polling (RFC 8936, section 2.2): until something is there, or as long as proxies let a request wait.
    await signals.waiting(POLL_WAIT_MS, reply.raw);
    return streams.poll(receiver, { maxEvents: body.maxEvents });
  });
  app.post(`${SSF_PATH}/in/:id`, open, async (request, reply) => {
    if (typeof request.body !== 'string') {
      throw new SsfRefused(400, 'invalid_request', `The body must be a token, as ${SET_TYPE}.`);
    }
    await intake.push(idOf(request), request.headers.authorization, request.body.trim());
    return reply.status(202).send();
  });
}

/**
 * OpenID Shared Signals for others: metadata, stream management, polling, and where tokens are pushed to us. Register it
 * beside `identityRoutes`; it brings its own bearer check, body parser and error form.
 */
export function signalEndpoints(identity: Identity): FastifyPluginAsync {
  return async (app) => {
    await app.register(async (scope) => {
      prepare(scope);
      scope.get(SSF_METADATA_PATH, open, async () => identity.signals.streams.metadata());
      addStream(scope, identity);
      addSubjects(scope, identity);
      addDelivery(scope, identity);
    });
  };
}
