import { z } from 'zod';
import { assurance, entryId, instant, label } from './app-entry.ts';
import { approvedCall } from './approved-call.ts';

/** `integration:<IntegrationId>`: who calls. */
export const integrationEntry = z.strictObject({
  id: entryId,
  name: label,
  /** The person who answers for it. */
  ownerId: entryId,
  purpose: z.string().max(2000).default(''),
  kind: z.enum(['service', 'automation', 'agent', 'webhook', 'user']).default('service'),
  status: z.enum(['active', 'suspended', 'revoked']),
  expiresAt: instant.nullable().default(null),
  /** OAuth client id. */
  clientId: z.string().min(1).max(200),
  /** The weakest proof accepted from this integration, on any app. */
  assurance: assurance.default('m0'),
});
export type IntegrationEntry = z.output<typeof integrationEntry>;
export type IntegrationEntryInput = z.input<typeof integrationEntry>;

const operationId = z.string().min(1).max(512);
const access = z.enum(['read', 'write', 'any']);
const method = z.string().regex(/^(?:[A-Z]+|\*)$/, 'expected an upper-case HTTP method or *');

/** What part of an app a grant covers. */
export const grantSelector = z.discriminatedUnion('kind', [
  /** Exactly these operationIds. */
  z.strictObject({ kind: z.literal('operations'), ids: z.array(operationId).min(1).max(5000) }),
  /** Operations with a tag, optionally only reads or writes. */
  z.strictObject({ kind: z.literal('tag'), tag: z.string().min(1).max(200), access: access.default('any') }),
  /** All reads, all writes, or everything; also covers calls that no description knows. */
  z.strictObject({ kind: z.literal('access'), access }),
  /** By method and path template: `*` one segment, `**` the rest (`GET /repos/**`). */
  z.strictObject({ kind: z.literal('path'), method, path: z.string().startsWith('/').max(1024) }),
]);
export type GrantSelector = z.output<typeof grantSelector>;

/** Narrows a grant to calls whose parameter has one of the values, e.g. path parameter `owner` in [`acme`]. */
const resourceScope = z.strictObject({
  parameter: z.string().min(1).max(128),
  values: z.array(z.string().max(512)).min(1).max(1000),
});

/** `grant:<GrantId>`: what an integration may do in an app. Covers what any selector covers, where all scopes hold. */
export const grantEntry = z.strictObject({
  id: entryId,
  name: label,
  integrationId: entryId,
  appId: entryId,
  select: z.array(grantSelector).min(1).max(200),
  resourceScope: z.array(resourceScope).max(16).default([]),
  expiresAt: instant.nullable().default(null),
});
export type GrantEntry = z.output<typeof grantEntry>;
export type GrantEntryInput = z.input<typeof grantEntry>;

/** `policy:<PolicyId>`: one customer's policy set in Cedar. No priorities: a forbid wins over any permit. */
export const policyEntry = z.strictObject({
  id: entryId,
  name: label,
  description: z.string().max(2000).default(''),
  text: z.string().min(1).max(65_536),
});
export type PolicyEntry = z.output<typeof policyEntry>;
export type PolicyEntryInput = z.input<typeof policyEntry>;

/** `token:<sha256 hex of the opaque token>`: a live access token, known only by its hash. */
export const tokenEntry = z.strictObject({
  integrationId: entryId,
  clientId: z.string().min(1).max(200),
  expiresAt: instant,
  /** RFC 7800 confirmation: `jkt` (RFC 9449) or `x5t#S256` (RFC 8705). */
  cnf: z
    .strictObject({
      jkt: z.string().max(64).nullable().default(null),
      'x5t#S256': z.string().max(64).nullable().default(null),
    })
    .nullable()
    .default(null),
  scope: z.array(z.string().max(256)).max(500).default([]),
  /** Resource indicators (RFC 8707); empty: every app that grants allow. */
  audience: z.array(z.string().max(2048)).max(64).default([]),
  assurance: assurance.default('m0'),
  /** Set on a token that a second person approved: it is good for this call alone, and control counts its uses. */
  approval: z.strictObject({ id: entryId, call: approvedCall }).nullable().default(null),
});
export type TokenEntry = z.output<typeof tokenEntry>;
export type TokenEntryInput = z.input<typeof tokenEntry>;

/** `revoked:<sha256 hex of the token>`: refused until `expiresAt`, when the token has ended by itself. */
export const revokedEntry = z.strictObject({ expiresAt: instant });
export type RevokedEntry = z.output<typeof revokedEntry>;

/** `unlock:<sha256 hex of an address>`: a person ended its lock at the gateways. */
export const unlockEntry = z.strictObject({ at: instant, expiresAt: instant });

const base64url = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/)
  .max(2048);

/** `jwk:<kid>`: a public key that signs access tokens. Private members are refused by the strict shape. */
export const jwkEntry = z.strictObject({
  kid: z.string().regex(/^[\x21-\x7e]{1,128}$/, 'expected printable ASCII without spaces'),
  issuer: z.string().max(2048),
  /** Tokens signed with it are refused afterwards. */
  notAfter: instant.nullable().default(null),
  jwk: z.discriminatedUnion('kty', [
    z.strictObject({ kty: z.literal('RSA'), alg: z.enum(['RS256', 'PS256']), n: base64url, e: base64url }),
    z.strictObject({
      kty: z.literal('EC'),
      alg: z.literal('ES256'),
      crv: z.literal('P-256'),
      x: base64url,
      y: base64url,
    }),
    z.strictObject({
      kty: z.literal('OKP'),
      alg: z.enum(['EdDSA', 'Ed25519']),
      crv: z.literal('Ed25519'),
      x: base64url,
    }),
  ]),
});
export type JwkEntry = z.output<typeof jwkEntry>;
export type JwkEntryInput = z.input<typeof jwkEntry>;
