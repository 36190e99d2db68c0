import { z } from 'zod';

/**
 * What duties ask about a case. All but one are yes or no, and worded so that a yes never makes a duty fall away:
 * so "not known yet" can be judged by trying both.
 */
export const FACTS = {
  personal_data: 'Personal data was seen, changed, lost or made unavailable',
  special_categories: 'Among them health, beliefs, biometrics or other special categories',
  readable: 'The data could be read: it was not encrypted, or the key went with it',
  risk: 'A risk to the people concerned is not unlikely',
  high_risk: 'The risk to the people concerned is likely high',
  controller: 'We decide why and how that data is processed',
  processor: 'We process that data for our customers',
  in_eu: 'People or establishments in the EU or EEA are concerned',
  in_uk: 'People or establishments in the United Kingdom are concerned',
  in_us: 'People in the United States are concerned',
  in_california: 'Residents of California are concerned',
  in_india: 'Systems in India are concerned',
  nis2_entity: 'We are an essential or important entity under NIS2',
  significant: 'The incident is significant: severe disruption, financial loss, or considerable damage to others',
  financial_entity: 'We are a financial entity under DORA',
  major_ict: 'The ICT incident is major by the criteria of DORA',
  us_listed: 'We file reports with the SEC',
  material: 'The incident was determined to be material to investors',
  phi: 'Protected health information was concerned',
  covered_entity: 'We are a covered entity under HIPAA',
  business_associate: 'We are a business associate under HIPAA',
  cardholder_data: 'Payment card data was concerned or may be',
  product_maker: 'We make a product with digital elements that is sold in the EU',
  exploited_vulnerability: 'A vulnerability in our product is actively exploited',
  severe_product_incident: 'A severe incident has an impact on the security of our product',
  customer_data: 'Data of customers under contract was concerned',
  vendor_at_fault: 'It happened at or through a vendor',
  ransom_paid: 'A ransom was paid',
} as const;
export type FactName = keyof typeof FACTS;
export const FACT_NAMES = Object.keys(FACTS) as FactName[]; // the literal's own keys

/** Moments from which clocks run, milliseconds since the epoch. */
export const MOMENTS = {
  aware: 'We became aware',
  classified: 'It was classified as significant or major',
  determined: 'It was determined to be material',
  fixed: 'A fix or mitigation is available',
} as const;
export type MomentName = keyof typeof MOMENTS;

const PEOPLE_MAX = 10_000_000_000;
const truth = z.partialRecord(z.enum(FACT_NAMES), z.boolean());
export const factsInput = z.strictObject({
  /** null takes back what was said: the fact is open again. */
  facts: z.partialRecord(z.enum(FACT_NAMES), z.boolean().nullable()).default({}),
  people: z.int().min(0).max(PEOPLE_MAX).nullable().optional(),
  moments: z
    .partialRecord(z.enum(['aware', 'classified', 'determined', 'fixed']), z.int().nonnegative().nullable())
    .default({}),
});

export interface CaseFacts {
  readonly facts: Readonly<Partial<Record<FactName, boolean>>>;
  /** How many people are concerned; null: not known yet. */
  readonly people: number | null;
  readonly moments: Readonly<Partial<Record<MomentName, number>>>;
}
export const storedFacts = z.object({
  facts: truth.default({}),
  people: z.number().nullable().default(null),
  moments: z.partialRecord(z.enum(['aware', 'classified', 'determined', 'fixed']), z.number()).default({}),
});
export const NO_FACTS: CaseFacts = { facts: {}, people: null, moments: {} };
export const PEOPLE_UNKNOWN_MAX = PEOPLE_MAX;

function kept<Name extends string, Value>(
  before: Readonly<Partial<Record<Name, Value>>>,
  said: Readonly<Partial<Record<Name, Value | null>>>,
): Partial<Record<Name, Value>> {
  const all = Object.entries({ ...before, ...said }).filter(([, value]) => value !== null && value !== undefined);
  return Object.fromEntries(all) as Partial<Record<Name, Value>>; // nulls are gone
}

/** What was known, with what was said now; null takes back. */
export function mergeFacts(before: CaseFacts, said: z.output<typeof factsInput>): CaseFacts {
  return {
    facts: kept(before.facts, said.facts),
    people: said.people === undefined ? before.people : said.people,
    moments: kept(before.moments, said.moments),
  };
}
