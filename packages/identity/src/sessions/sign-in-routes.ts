import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { SignInThrottled } from '../errors.ts';
import type { Identity } from '../identity.ts';
import { challengeIdSchema, codeSchema, emailSchema, nameSchema } from '../schemas.ts';
import { originOf } from './authenticate.ts';
import { writeDevice } from './session-cookie.ts';
import type { SignedIn } from './sign-in.ts';

const tags = ['sign-in'];
const BASE64URL_CHARS_MAX = 16_384;

const base64url = z
  .string()
  .regex(/^[A-Za-z0-9_-]*$/)
  .max(BASE64URL_CHARS_MAX);

/** `PublicKeyCredential.toJSON()` of an assertion (WebAuthn, section 5.1). */
export const assertionSchema = z.object({
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).nullish(),
  clientExtensionResults: z.looseObject({}).default({}),
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.nullish(),
  }),
});

export function assertionOf(value: z.output<typeof assertionSchema>): AuthenticationResponseJSON {
  return value as AuthenticationResponseJSON; // the library's type differs only in null and undefined members
}

const token = z.string().min(20).max(100);

export const signedInResponse = z.object({
  /** `enrol`: a factor must be set up before anything else. */
  stage: z.enum(['enrol', 'full']),
  person: z.object({ id: z.string(), name: z.string(), login: z.string() }),
});

/** Sends the session cookie and who it is for; the secret itself is in no body. */
export function sendSignedIn(
  identity: Identity,
  reply: FastifyReply,
  { person, session, secret, device }: SignedIn,
): z.output<typeof signedInResponse> {
  reply.header('set-cookie', identity.cookie.write(secret));
  if (device !== undefined) reply.header('set-cookie', writeDevice(identity.publicUrl, device));
  return { stage: session.stage, person: { id: person.id, name: person.name, login: person.login } };
}

/** Ways in: passkey, password and code, recovery code, one-time link. All public; all throttled. */
export function signInRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { signIn, links } = identity;
  return async (app) => {
    app.addHook('onError', async (_request, reply, error) => {
      if (error instanceof SignInThrottled) reply.header('retry-after', String(error.detail['retry_after_s']));
    });

    app.post(
      '/api/v1/auth/passkey/options',
      {
        config: { public: true },
        schema: {
          tags,
          summary: 'Begin a sign-in with a passkey',
          response: { 200: z.object({ challengeId: z.string(), options: z.looseObject({}) }) },
        },
      },
      async () => {
        const { challengeId, options } = await signIn.passkeyOptions();
        return { challengeId, options: { ...options } };
      },
    );

    app.post(
      '/api/v1/auth/passkey/verify',
      {
        config: { public: true },
        schema: {
          tags,
          summary: 'Sign in with a passkey',
          body: z.object({ challengeId: challengeIdSchema, response: assertionSchema }),
          response: { 200: signedInResponse },
        },
      },
      async (request, reply) => {
        const { challengeId, response } = request.body;
        const input = { challengeId, response: assertionOf(response) };
        return sendSignedIn(identity, reply, await signIn.passkey(input, originOf(request)));
      },
    );

    app.post(
      '/api/v1/auth/password',
      {
        config: { public: true },
        schema: {
          tags,
          summary: 'First half of a sign-in with password and code',
          body: z.object({ login: z.string().min(1).max(320), password: z.string().min(1).max(1_024) }),
          response: { 200: z.object({ next: z.literal('totp'), challengeId: z.string() }) },
        },
      },
      async (request) => {
        const { challengeId } = await signIn.password(request.body, originOf(request));
        return { next: 'totp' as const, challengeId };
      },
    );

    app.post(
      '/api/v1/auth/totp',
      {
        config: { public: true },
        schema: {
          tags,
          summary: 'Second half: the code of the authenticator app',
          body: z.object({ challengeId: challengeIdSchema, code: codeSchema }),
          response: { 200: signedInResponse },
        },
      },
      async (request, reply) => sendSignedIn(identity, reply, await signIn.totp(request.body, originOf(request))),
    );

    app.post(
      '/api/v1/auth/recovery',
      {
        config: { public: true },
        schema: {
          tags,
          summary: 'Use a recovery code; a new factor must then be set up',
          body: z.object({ login: z.string().min(1).max(320), code: codeSchema }),
          response: { 200: signedInResponse },
        },
      },
      async (request, reply) => sendSignedIn(identity, reply, await signIn.recovery(request.body, originOf(request))),
    );

    app.post(
      '/api/v1/auth/link/inspect',
      {
        config: { public: true },
        schema: {
          tags,
          summary: 'What a one-time link is for',
          body: z.object({ token }),
          response: {
            200: z.object({
              kind: z.enum(['first-owner', 'invite', 'recover']),
              person: z.object({ name: z.string(), email: z.string() }).nullable(),
              expiresAt: z.string(),
            }),
          },
        },
      },
      async (request) => {
        const { kind, person, expiresAt } = await links.inspect(request.body.token);
        const shown = person && { name: person.name, email: person.email };
        return { kind, person: shown, expiresAt: new Date(expiresAt).toISOString() };
      },
    );

    app.post(
      '/api/v1/auth/link',
      {
        config: { public: true },
        schema: {
          tags,
          summary: 'Use a one-time link; a first owner gives name and e-mail address',
          body: z.object({ token, name: nameSchema.optional(), email: emailSchema.optional() }),
          response: { 200: signedInResponse },
        },
      },
      async (request, reply) => {
        const { token, name, email } = request.body;
        const input = { token, ...(name === undefined ? {} : { name }), ...(email === undefined ? {} : { email }) };
        return sendSignedIn(identity, reply, await links.redeem(input, originOf(request)));
      },
    );
  };
}
