import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { assurance, grantEntry, inspectionEntry, integrationEntry, limitEntry, requirementEntry } from '@cordon/policy';
import { appSettings } from './app.ts';
import { credentialInput } from './vault/credential-input.ts';
import { DeclarationInvalid } from './errors.ts';
import { instant, line } from './input.ts';

const NAMES_MAX = 2_000;
const name = z.string().min(1).max(200);
const named = <Value extends z.ZodType>(value: Value) =>
  z
    .record(name, value)
    .refine((record) => Object.keys(record).length <= NAMES_MAX, `at most ${NAMES_MAX}`)
    .prefault({});

const grant = z.strictObject({
  select: grantEntry.shape.select,
  resourceScope: grantEntry.shape.resourceScope,
  expiresAt: instant.nullable().default(null),
});

const declaredApp = appSettings.extend({
  title: z.string().min(1).max(200).optional(),
  /** The OpenAPI text itself; the command line reads it from the path in the file. */
  description: z.string().optional(),
  /** Write-only: never exported, so it is compared by nothing and set whenever it is given. */
  credential: credentialInput.optional(),
});

const declaredIntegration = z.strictObject({
  purpose: line.min(3).max(2000),
  kind: integrationEntry.shape.kind.prefault('service'),
  expiresAt: instant.nullable().default(null),
  assurance: assurance.default('m0'),
  /** App name → grant name → what it may do. */
  grants: named(named(grant)),
});

const { id: _i, name: _n, appId: _a, integrationId: _g, ...inspectionShape } = inspectionEntry.shape;
const declaredInspection = z.strictObject({
  ...inspectionShape,
  app: name.nullable().default(null),
  integration: name.nullable().default(null),
});

const { id: _li, name: _ln, scope: _ls, ...limitShape } = limitEntry.shape;
const declaredLimit = z.strictObject({
  ...limitShape,
  app: name.nullable().default(null),
  integration: name.nullable().default(null),
  operation: z.string().nullable().default(null),
});

const { id: _ri, name: _rn, appId: _ra, integrationId: _rg, ...requirementShape } = requirementEntry.shape;
const declaredRequirement = z.strictObject({
  ...requirementShape,
  app: name.nullable().default(null),
  integration: name.nullable().default(null),
});

/** An endpoint; its settings are the webhooks' own, and those that aren't named stay as they are. */
const declaredWebhook = z.looseObject({
  app: name,
  integration: name,
  status: z.enum(['active', 'paused', 'disabled']).optional(),
  /** What the vendor signs with: needed to make an endpoint, never exported, replaced only by a rotation. */
  secret: z.string().optional(),
});

/** What a `cordon.d/*.yaml` file may declare. Names refer to names; ids never appear. */
export const declaration = z.strictObject({
  apps: named(declaredApp),
  integrations: named(declaredIntegration),
  policies: named(z.strictObject({ description: z.string().max(2000).default(''), text: z.string().min(1) })),
  inspection: named(declaredInspection),
  limits: named(declaredLimit),
  requirements: named(declaredRequirement),
  webhooks: named(declaredWebhook),
});
export type Declaration = z.output<typeof declaration>;
export type DeclarationInput = z.input<typeof declaration>;

export const DECLARED_KINDS = [
  'apps',
  'integrations',
  'policies',
  'inspection',
  'limits',
  'requirements',
  'webhooks',
] as const;
export type DeclaredKind = (typeof DECLARED_KINDS)[number];

export interface FieldChange {
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface PlannedChange {
  readonly action: 'create' | 'update' | 'delete';
  readonly kind: DeclaredKind;
  readonly name: string;
  readonly changes: readonly FieldChange[];
}

/** @throws {DeclarationInvalid} naming every field that is wrong. */
export function parseDeclaration(value: unknown): Declaration {
  const result = declaration.safeParse(value);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`);
    throw new DeclarationInvalid(`The declaration is not valid:\n${problems.join('\n')}`, { problems });
  }
  checkLimits(result.data);
  return result.data;
}

function checkLimits(declared: Declaration): void {
  const empty = Object.entries(declared.limits).filter(
    ([, limit]) => !limit.rate && !limit.concurrency && !limit.quota,
  );
  if (empty.length === 0) return;
  const problems = empty.map(([key]) => `limits.${key}: give a rate, a concurrency or a quota`);
  throw new DeclarationInvalid(problems.join('\n'), { problems });
}

/** A description is compared by its hash and shown by it: nobody wants a megabyte in a plan. */
export function descriptionMark(text: string | undefined): string | undefined {
  return text === undefined ? undefined : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function comparable(kind: DeclaredKind, value: unknown): Record<string, unknown> {
  const { credential: _c, ...rest } = value as Record<string, unknown>;
  if (kind === 'webhooks') delete rest['secret'];
  if (kind !== 'apps') return rest;
  const { description, ...app } = rest;
  return { ...app, description: descriptionMark(description as string | undefined) };
}

function compare(from: unknown, to: unknown, path: string, changes: FieldChange[]): void {
  if (isDeepStrictEqual(from, to)) return;
  const both = [from, to].every((side) => typeof side === 'object' && side !== null && !Array.isArray(side));
  if (!both) {
    changes.push({ path, from: from ?? null, to: to ?? null });
    return;
  }
  const [before, after] = [from as Record<string, unknown>, to as Record<string, unknown>]; // checked just above
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    compare(before[key], after[key], path === '' ? key : `${path}.${key}`, changes);
  }
}

/**
 * What would have to happen so that what is becomes what is declared. Objects that only exist (not declared) are left
 * alone unless `prune`. An app without a declared description or title keeps what it has.
 */
export function planChanges(current: Declaration, desired: Declaration, prune: boolean): PlannedChange[] {
  const plan: PlannedChange[] = [];
  for (const kind of DECLARED_KINDS) {
    const [is, wanted] = [current[kind] as Record<string, unknown>, desired[kind] as Record<string, unknown>];
    for (const [key, value] of Object.entries(wanted)) {
      const changes: FieldChange[] = [];
      const after = comparable(kind, value);
      const before = Object.hasOwn(is, key) ? comparable(kind, is[key]) : null;
      for (const field of ['description', 'title']) {
        if (kind === 'apps' && after[field] === undefined) after[field] = before?.[field];
      }
      // Settings of an endpoint that nobody names keep what they are.
      compare(before ?? {}, kind === 'webhooks' ? { ...before, ...after } : after, '', changes);
      const credential = kind === 'apps' && (value as { credential?: object }).credential !== undefined;
      if (credential) changes.push({ path: 'credential', from: '(not shown)', to: '(given)' });
      if (before === null) plan.push({ action: 'create', kind, name: key, changes });
      else if (changes.length > 0) plan.push({ action: 'update', kind, name: key, changes });
    }
    if (!prune) continue;
    for (const key of Object.keys(is)) {
      if (!Object.hasOwn(wanted, key)) plan.push({ action: 'delete', kind, name: key, changes: [] });
    }
  }
  return plan;
}
