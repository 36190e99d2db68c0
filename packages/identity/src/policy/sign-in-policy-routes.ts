import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Identity } from '../identity.ts';
import { principalOf } from '../route-access.ts';
import { isoTime, isoTimeOrNull, personIdSchema } from '../schemas.ts';
import { signInPolicySet } from './sign-in-decision.ts';
import { signInFacts, signInNetwork } from './sign-in-facts.ts';
import { DRY_RUN_DAYS_MAX } from './sign-in-policy.ts';
import { RECORDS_PAGE_MAX, type SignInPolicyVersion, type SignInRecord } from './sign-in-policy-store.ts';

const tags = ['sign-in policy'];
const outcome = z.enum(['allow', 'stronger', 'refuse']);
const reason = z.object({
  policy: z.string(),
  statement: z.string().nullable(),
  effect: z.enum(['permit', 'forbid']),
  advice: z.string().nullable(),
});
const problem = z.object({
  line: z.int().nullable(),
  column: z.int().nullable(),
  message: z.string(),
  help: z.string().nullable(),
  severity: z.enum(['error', 'warning']),
});
const setResponse = z.object({
  base: z.boolean(),
  policies: z.array(z.object({ name: z.string(), text: z.string(), mode: z.enum(['enforce', 'watch', 'off']) })),
  networks: z.array(z.object({ name: z.string(), cidrs: z.array(z.string()) })),
});
const versionResponse = z
  .object({
    version: z.int(),
    set: setResponse,
    note: z.string(),
    madeBy: z.string(),
    madeAt: z.string().nullable(),
  })
  .meta({ id: 'SignInPolicyVersion' });
const recordResponse = z
  .object({
    id: z.string(),
    at: z.string(),
    personId: z.string(),
    personName: z.string(),
    service: z.object({ kind: z.enum(['cordon', 'oidc', 'saml']), id: z.string(), name: z.string() }),
    outcome,
    version: z.int().nullable(),
    exempt: z.boolean(),
    reasons: z.array(reason),
    watched: z.string().nullable(),
    facts: signInFacts,
  })
  .meta({ id: 'SignInRecord' });
const counts = z.object({ allow: z.int(), stronger: z.int(), refuse: z.int() });
const dryRunResponse = z
  .object({
    since: z.string(),
    examined: z.int(),
    truncated: z.boolean(),
    incomplete: z.int(),
    now: counts,
    proposed: counts,
    people: z.array(
      z.object({
        personId: z.string(),
        personName: z.string(),
        refuse: z.int(),
        stronger: z.int(),
        allow: z.int(),
        last: z.object({
          at: z.string(),
          service: z.string(),
          address: z.string(),
          country: z.string(),
          before: outcome,
          after: outcome,
          reasons: z.array(reason),
        }),
      }),
    ),
    owners: z.object({ total: z.int(), letIn: z.int() }),
  })
  .meta({ id: 'SignInDryRun' });
const templateResponse = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    text: z.string(),
    networks: z.array(signInNetwork),
  })
  .meta({ id: 'SignInTemplate' });

function showVersion({ version, set, note, madeBy, madeAt }: SignInPolicyVersion): z.output<typeof versionResponse> {
  return { version, set, note, madeBy, madeAt: isoTimeOrNull(madeAt) };
}

function showRecord(record: SignInRecord): z.output<typeof recordResponse> {
  return { ...record, at: isoTime(record.at), reasons: [...record.reasons] };
}

const read = { permission: 'sso.read' } as const;
const write = { permission: 'sso.write' } as const;

/** Who may sign in, when and how: the policies, what they would have done, and what they did. */
export function signInPolicyRoutes(identity: Identity): FastifyPluginAsyncZod {
  const { signInPolicies } = identity;
  return async (app) => {
    app.get(
      '/api/v1/sign-in-policy',
      { config: read, schema: { tags, summary: 'The policies in force', response: { 200: versionResponse } } },
      async (request) => showVersion(await signInPolicies.current((await principalOf(identity, request)).actor)),
    );
    app.get(
      '/api/v1/sign-in-policy/history',
      {
        config: read,
        schema: {
          tags,
          summary: 'Every version, newest first',
          response: { 200: z.object({ items: z.array(versionResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { items: (await signInPolicies.history(actor)).map(showVersion) };
      },
    );
    app.get(
      '/api/v1/sign-in-policy/templates',
      {
        config: read,
        schema: {
          tags,
          summary: 'Ready policies to begin from',
          response: { 200: z.object({ items: z.array(templateResponse) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { items: [...(await signInPolicies.templates(actor))] };
      },
    );
    app.post(
      '/api/v1/sign-in-policy/check',
      {
        config: read,
        schema: {
          tags,
          summary: 'Problems of a policy’s text, with their place',
          body: z.object({ text: z.string().max(20_000) }),
          response: { 200: z.object({ problems: z.array(problem) }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return { problems: [...(await signInPolicies.check(actor, request.body.text))] };
      },
    );
    app.post(
      '/api/v1/sign-in-policy/dry-run',
      {
        config: read,
        schema: {
          tags,
          summary: 'What policies would have done to the sign-ins of the last days',
          body: z.object({ set: signInPolicySet, days: z.int().min(1).max(DRY_RUN_DAYS_MAX).default(30) }),
          response: { 200: dryRunResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const found = await signInPolicies.dryRun(actor, request.body.set, request.body.days);
        return {
          ...found,
          since: isoTime(found.since),
          people: found.people.map(({ last, ...one }) => ({
            ...one,
            last: { ...last, at: isoTime(last.at), reasons: [...last.reasons] },
          })),
        };
      },
    );
    app.put(
      '/api/v1/sign-in-policy',
      {
        config: write,
        schema: {
          tags,
          summary: 'Put policies in force; refused when it would shut out every owner',
          body: z.object({
            set: signInPolicySet,
            note: z.string().trim().max(500).default(''),
            basedOn: z.int().min(0),
          }),
          response: { 200: versionResponse },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        return showVersion(await signInPolicies.publish(actor, request.body));
      },
    );
    app.get(
      '/api/v1/sign-ins',
      {
        config: read,
        schema: {
          tags,
          summary: 'What was decided of sign-ins, and from which facts',
          querystring: z.object({
            outcome: outcome.optional(),
            person: personIdSchema.optional(),
            id: z.uuid().optional(),
            /** Id of the last one of the page before. */
            before: z.uuid().optional(),
            limit: z.coerce.number().int().min(1).max(RECORDS_PAGE_MAX).default(50),
          }),
          response: { 200: z.object({ items: z.array(recordResponse), before: z.string().nullable() }) },
        },
      },
      async (request) => {
        const { actor } = await principalOf(identity, request);
        const { before, person, ...query } = request.query;
        const found = await signInPolicies.records(actor, {
          ...query,
          personId: person,
          before,
        });
        const last = found.length === query.limit ? found.at(-1) : undefined;
        return { items: found.map(showRecord), before: last?.id ?? null };
      },
    );
  };
}
