import { z } from 'zod';
import { appEntry } from '@cordon/policy';
import type { CredentialStatus } from './vault/credential-status.ts';

const { id: _id, name, title, description: _d, credential: _c, ...settingsShape } = appEntry.shape;

/** How the gateway treats an app; the fields are those of the snapshot's app entry. */
export const appSettings = z.strictObject(settingsShape);
export type AppSettings = z.output<typeof appSettings>;

const line = z.string().trim();
/** Who answers for an app: a person's id and name. */
export const appOwner = z.strictObject({ id: line.min(1).max(128), name: line.min(1).max(200) });
export type AppOwner = z.output<typeof appOwner>;

/** Without an owner the app is its maker's. */
export const appInput = appSettings.extend({ name, title: title.optional(), owner: appOwner.optional() });
export type AppInput = z.input<typeof appInput>;

/** A change names only what it changes: no default may creep in, not even inside `limits`. */
export const appPatch = z.strictObject({
  title: title.optional(),
  owner: appOwner.optional(),
  ...optionalFields(settingsShape),
  limits: z.strictObject(optionalFields(appEntry.shape.limits.unwrap().shape)).optional(),
  resilience: z.strictObject(optionalFields(appEntry.shape.resilience.unwrap().shape)).optional(),
  sharing: z.strictObject(optionalFields(appEntry.shape.sharing.unwrap().shape)).optional(),
});
export type AppPatch = Omit<Partial<AppSettings>, 'limits' | 'resilience' | 'sharing'> & {
  readonly title?: string;
  readonly owner?: AppOwner;
  readonly limits?: Partial<AppSettings['limits']>;
  readonly resilience?: Partial<AppSettings['resilience']>;
  readonly sharing?: Partial<AppSettings['sharing']>;
};

function optionalFields(shape: Readonly<Record<string, z.ZodType>>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(shape).map(([key, schema]) => [key, withoutDefault(schema).optional()]));
}

function withoutDefault(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return schema.unwrap() as z.ZodType; // zod types the inner schema as its core base class
  }
  return schema;
}

/**
 * Whether calls would go somewhere that the stored credential was not given for: another host, port or scheme, or a
 * connection that others can read or answer. The vendor's secret must not follow there by itself.
 */
export function leadsElsewhere(before: AppSettings, after: AppSettings): boolean {
  const isNew = (is: readonly string[], was: readonly string[]): boolean => is.some((one) => !was.includes(one));
  return (
    isNew(originsOf(after), originsOf(before)) ||
    isNew(after.privateAddresses, before.privateAddresses) ||
    isNew(after.caCertificates, before.caCertificates) ||
    (before.publicKeyPins.length > 0 && after.publicKeyPins.length === 0) ||
    isNew(before.publicKeyPins.length > 0 ? after.publicKeyPins : [], before.publicKeyPins) ||
    (after.plaintext === 'allow' && before.plaintext === 'refuse')
  );
}

function originsOf({ upstream, hosts }: AppSettings): string[] {
  return [upstream, ...hosts.map((host) => host.upstream)].map((url) => new URL(url).origin);
}

export interface DescriptionSummary {
  readonly title: string;
  readonly version: string;
  readonly operations: number;
  readonly problems: number;
}

/** An app as the API shows it. Of its credential only kind and age can be seen, by anyone. */
export interface App {
  readonly id: string;
  readonly name: string;
  readonly title: string;
  /** Null: it was made before apps had owners, or by Cordon itself. */
  readonly owner: AppOwner | null;
  readonly settings: AppSettings;
  readonly description: (DescriptionSummary & { readonly sha256: string }) | null;
  readonly credential: CredentialStatus | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}
