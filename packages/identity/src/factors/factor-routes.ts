import type { RegistrationResponseJSON } from '@simplewebauthn/server';
import { PersonId } from '@cordon/kernel';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf, sessionOf } from '../route-access.ts';
import { challengeIdSchema, codeSchema, isoTime, isoTimeOrNull } from '../schemas.ts';
import { originOf } from '../sessions/authenticate.ts';
import { assertionOf, assertionSchema } from '../sessions/sign-in-routes.ts';
import type { Enrolled, FactorList } from './enrolment.ts';

const tags = ['factors'];
const BASE64URL_CHARS_MAX = 65_536;
const base64url = z
  .string()
  .regex(/^[A-Za-z0-9_-]*$/)
  .max(BASE64URL_CHARS_MAX);

/** `PublicKeyCredential.toJSON()` of a new key (WebAuthn, section 5.1). */
const registrationSchema = z.object({
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).nullish(),
  clientExtensionResults: z.looseObject({}).default({}),
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    authenticatorData: base64url.optional(),
    transports: z.array(z.string().max(20)).max(10).optional(),
    publicKey: base64url.optional(),
    publicKeyAlgorithm: z.int().optional(),
  }),
});

export const factorsResponse = z
  .object({
    passkeys: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        aaguid: z.string(),
        attestation: z.string(),
        backedUp: z.boolean(),
        createdAt: z.string(),
        lastUsedAt: z.string().nullable(),
      }),
    ),
    password: z.boolean(),
    totp: z.boolean(),
    recoveryCodesLeft: z.int(),
  })
  .meta({ id: 'Factors' });

export function showFactors(factors: FactorList): z.output<typeof factorsResponse> {
  const passkeys = factors.passkeys.map((passkey) => ({
    ...passkey,
    createdAt: isoTime(passkey.createdAt),
    lastUsedAt: isoTimeOrNull(passkey.lastUsedAt),
  }));
  return { ...factors, passkeys };
}

const enrolledResponse = z.object({
  /** Shown this once; null when the person has codes already. */
  recoveryCodes: z.array(z.string()).nullable(),
  /** Whether this ended an enrolment: the session is a full one now, under a new cookie. */
  signedIn: z.boolean(),
});

function sendEnrolled(identity: Identity, reply: FastifyReply, enrolled: Enrolled): z.output<typeof enrolledResponse> {
  if (enrolled.started) reply.header('set-cookie', identity.cookie.write(enrolled.started.secret));
  return {
    recoveryCodes: enrolled.recoveryCodes && [...enrolled.recoveryCodes],
    signedIn: enrolled.started !== null,
  };
}

const own = { permission: 'session.self', stage: 'enrol' } as const;
const full = { permission: 'session.self' } as const;
const optionsResponse = z.object({ challengeId: z.string(), options: z.looseObject({}) });

/** A person's own factors: set up, list, remove; and the step-up before privileged acts. */
export function factorRoutes(identity: Identity): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(enrolmentRoutes(identity));
    await app.register(stepUpRoutes(identity));
  };
}

function enrolmentRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { enrolment } = identity;
  return async (app) => {
    app.get(
      '/api/v1/auth/factors',
      { config: own, schema: { tags, summary: 'Own factors', response: { 200: factorsResponse } } },
      async (request) => {
        const principal = await principalOf(identity, request);
        return showFactors(await enrolment.factors(PersonId.parse(sessionOf(principal).personId)));
      },
    );

    app.post(
      '/api/v1/auth/passkey/register/options',
      { config: own, schema: { tags, summary: 'Begin to add a passkey', response: { 200: optionsResponse } } },
      async (request) => {
        const { challengeId, options } = await enrolment.passkeyOptions(await principalOf(identity, request));
        return { challengeId, options: { ...options } };
      },
    );

    app.post(
      '/api/v1/auth/passkey/register/verify',
      {
        config: own,
        schema: {
          tags,
          summary: 'Add a passkey',
          body: z.object({
            challengeId: challengeIdSchema,
            response: registrationSchema,
            name: z.string().trim().min(1).max(100).default('Passkey'),
          }),
          response: { 200: enrolledResponse },
        },
      },
      async (request, reply) => {
        const { challengeId, name } = request.body;
        // The library's type differs only in null and undefined members.
        const response = request.body.response as RegistrationResponseJSON;
        const principal = await principalOf(identity, request);
        return sendEnrolled(identity, reply, await enrolment.passkey(principal, { challengeId, response, name }));
      },
    );

    app.delete(
      '/api/v1/auth/passkey/:id',
      {
        config: full,
        schema: { tags, summary: 'Remove a passkey', params: z.object({ id: z.uuid() }), response: { 204: z.null() } },
      },
      async (request, reply) => {
        await enrolment.removePasskey(await principalOf(identity, request), request.params.id);
        return reply.status(204).send(null);
      },
    );

    app.put(
      '/api/v1/auth/password',
      {
        config: own,
        schema: {
          tags,
          summary: 'Set the password; a code is needed with it',
          body: z.object({ password: z.string().min(1).max(1_024) }),
          response: { 204: z.null() },
        },
      },
      async (request, reply) => {
        await enrolment.password(await principalOf(identity, request), request.body.password);
        return reply.status(204).send(null);
      },
    );

    app.delete(
      '/api/v1/auth/password',
      { config: full, schema: { tags, summary: 'Remove password and authenticator app', response: { 204: z.null() } } },
      async (request, reply) => {
        await enrolment.removePassword(await principalOf(identity, request));
        return reply.status(204).send(null);
      },
    );

    app.post(
      '/api/v1/auth/totp/begin',
      {
        config: own,
        schema: {
          tags,
          summary: 'Begin to add an authenticator app',
          response: { 200: z.object({ uri: z.string(), secret: z.string() }) },
        },
      },
      async (request) => enrolment.totpBegin(await principalOf(identity, request)),
    );

    app.post(
      '/api/v1/auth/totp/confirm',
      {
        config: own,
        schema: {
          tags,
          summary: 'Add the authenticator app with its first code',
          body: z.object({ code: codeSchema }),
          response: { 200: enrolledResponse },
        },
      },
      async (request, reply) =>
        sendEnrolled(
          identity,
          reply,
          await enrolment.totpConfirm(await principalOf(identity, request), request.body.code),
        ),
    );

    app.post(
      '/api/v1/auth/recovery-codes',
      {
        config: full,
        schema: {
          tags,
          summary: 'Make new recovery codes; the old ones stop working',
          response: { 200: z.object({ recoveryCodes: z.array(z.string()) }) },
        },
      },
      async (request) => ({
        recoveryCodes: [...(await enrolment.recoveryCodes(await principalOf(identity, request)))],
      }),
    );
  };
}

function stepUpRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { stepUp } = identity;
  const strongResponse = z.object({ strongAuthAt: z.string().nullable() });
  return async (app) => {
    app.post(
      '/api/v1/auth/step-up/passkey/options',
      {
        config: full,
        schema: { tags, summary: 'Begin to confirm with a passkey', response: { 200: optionsResponse } },
      },
      async (request) => {
        const { challengeId, options } = await stepUp.options(await principalOf(identity, request));
        return { challengeId, options: { ...options } };
      },
    );

    app.post(
      '/api/v1/auth/step-up/passkey/verify',
      {
        config: full,
        schema: {
          tags,
          summary: 'Confirm with a passkey',
          body: z.object({ challengeId: challengeIdSchema, response: assertionSchema }),
          response: { 200: strongResponse },
        },
      },
      async (request) => {
        const { challengeId, response } = request.body;
        const input = { challengeId, response: assertionOf(response) };
        const session = await stepUp.passkey(await principalOf(identity, request), input, originOf(request));
        return { strongAuthAt: isoTimeOrNull(session.strongAuthAt) };
      },
    );

    app.post(
      '/api/v1/auth/step-up/totp',
      {
        config: full,
        schema: {
          tags,
          summary: 'Confirm with a code',
          body: z.object({ code: codeSchema }),
          response: { 200: strongResponse },
        },
      },
      async (request) => {
        const session = await stepUp.totp(await principalOf(identity, request), request.body.code, originOf(request));
        return { strongAuthAt: isoTimeOrNull(session.strongAuthAt) };
      },
    );
  };
}
