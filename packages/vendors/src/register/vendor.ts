import { z } from 'zod';

export const STAGES = ['intake', 'assessment', 'approval', 'monitoring', 'offboarding', 'ended'] as const;
export type Stage = (typeof STAGES)[number];

/** Where a vendor may go from each stage; offboarding and its end have commands of their own. */
export const NEXT_STAGES: Readonly<Record<Stage, readonly Stage[]>> = {
  intake: ['assessment'],
  assessment: ['approval', 'intake'],
  approval: ['monitoring', 'assessment'],
  monitoring: ['assessment'],
  offboarding: [],
  ended: [],
};

const text = (max: number) =>
  z
    .string()
    .max(max)
    .regex(/^[^\0]*$/, 'must not contain a null character');

const person = z.strictObject({ name: text(120), email: z.email().max(254), role: text(80).default('') });

export const vendorProfile = z.strictObject({
  website: z
    .url({ protocol: /^https?$/ })
    .max(500)
    .nullable()
    .default(null),
  products: z.array(text(120)).max(100).default([]),
  owner: text(120).default(''),
  tier: z.enum(['critical', 'high', 'medium', 'low', 'unrated']).default('unrated'),
  regions: z.array(text(60)).max(60).default([]),
  contacts: z.array(person).max(50).default([]),
  /** Contacts for security reports that the vendor publishes (RFC 9116), as last read. */
  securityTxt: z
    .strictObject({
      contacts: z.array(text(500)).max(20),
      policy: text(500).nullable(),
      expires: z.int().nullable(),
      readAt: z.int(),
    })
    .nullable()
    .default(null),
  note: text(4_000).default(''),
});
export type VendorProfile = z.output<typeof vendorProfile>;

const vendorName = text(120).trim().min(1);
export const vendorInput = vendorProfile.omit({ securityTxt: true }).extend({
  name: vendorName,
  appIds: z.array(z.uuid()).max(500).default([]),
});
export type VendorInput = z.input<typeof vendorInput>;

/** A change names only what it changes. */
export const vendorPatch = z.strictObject({
  name: vendorName.optional(),
  appIds: z.array(z.uuid()).max(500).optional(),
  website: vendorProfile.shape.website.unwrap().optional(),
  products: vendorProfile.shape.products.unwrap().optional(),
  owner: vendorProfile.shape.owner.unwrap().optional(),
  tier: vendorProfile.shape.tier.unwrap().optional(),
  regions: vendorProfile.shape.regions.unwrap().optional(),
  contacts: vendorProfile.shape.contacts.unwrap().optional(),
  note: vendorProfile.shape.note.unwrap().optional(),
});
export type VendorPatch = z.input<typeof vendorPatch>;

export interface Vendor {
  readonly id: string;
  readonly name: string;
  readonly stage: Stage;
  readonly profile: VendorProfile;
  readonly appIds: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface VendorTask {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly proof: unknown;
  readonly doneAt: number | null;
  readonly doneBy: string | null;
}

/** What must be done before a vendor is gone, in order. `cut_off` is done by the estate, the rest by people. */
export const OFFBOARDING_TASKS: readonly (readonly [kind: string, title: string])[] = [
  ['cut_off', 'Cut off every integration'],
  ['return', 'Have our data returned'],
  ['deletion', 'Have our data deleted'],
  ['certificate', 'Get the certificate of deletion'],
  ['accounts', 'Close accounts and end licences'],
];
