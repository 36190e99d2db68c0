import { z } from 'zod';
import { type Indicator, type IndicatorKind, indicatorValue } from './indicator.ts';

/** STIX 2.1 (OASIS), sections 4.7 "Indicator" and 9 "STIX Patterning". */

const bundle = z.looseObject({ type: z.literal('bundle'), objects: z.array(z.looseObject({ type: z.string() })) });
const indicator = z.looseObject({
  type: z.literal('indicator'),
  pattern: z.string().max(20_000),
  pattern_type: z.string().default('stix'),
  name: z.string().optional(),
  description: z.string().optional(),
  valid_from: z.iso.datetime({ offset: true }).optional(),
  valid_until: z.iso.datetime({ offset: true }).optional(),
  revoked: z.boolean().default(false),
});

/** Object paths (section 6) that name something an event of a SaaS tool holds. */
const PATHS: Readonly<Record<string, IndicatorKind>> = {
  'ipv4-addr:value': 'address',
  'ipv6-addr:value': 'address',
  'network-traffic:src_ref.value': 'address',
  'network-traffic:dst_ref.value': 'address',
  'domain-name:value': 'domain',
  'url:value': 'url',
  'email-addr:value': 'email',
  'email-message:from_ref.value': 'email',
  'user-account:user_id': 'client-id',
  'user-account:account_login': 'email',
  "network-traffic:extensions.'http-request-ext'.request_header.'user-agent'": 'user-agent',
};
const HASH = /^file:hashes\.'?[\w-]+'?$/;
/** One comparison; `IN` with its list. */
const COMPARISON = /([a-z0-9-]+:[\w.'-]+)\s*(=|IN|ISSUBSET)\s*(\([^()]*\)|'(?:[^'\\]|\\.)*')/gi;
const STRING = /'((?:[^'\\]|\\.)*)'/g;

export interface StixResult {
  readonly indicators: Indicator[];
  /** Indicators that say more than one value can: they need rules, or name what no event here holds. */
  readonly skipped: number;
}

/** Values that a pattern alone makes suspicious; null for one that joins observations by AND, FOLLOWEDBY or NOT. */
export function patternValues(pattern: string): { kind: IndicatorKind; value: string }[] | null {
  const bare = pattern.replaceAll(STRING, "''");
  if (/\b(?:AND|FOLLOWEDBY|NOT|WITHIN|REPEATS|START|LIKE|MATCHES|ISSUPERSET|EXISTS)\b|[<>]|!=/i.test(bare)) return null;
  const values: { kind: IndicatorKind; value: string }[] = [];
  for (const [, path = '', , right = ''] of pattern.matchAll(COMPARISON)) {
    const kind = HASH.test(path) ? 'hash' : PATHS[path.toLowerCase()];
    if (kind === undefined) return null;
    for (const [, text = ''] of right.matchAll(STRING)) {
      const value = indicatorValue(kind, text.replaceAll(/\\(.)/g, '$1'));
      if (value !== null) values.push({ kind, value });
    }
  }
  return values.length === 0 ? null : values;
}

/** The indicators of a bundle, each with its own end. Null: the text is no STIX bundle. */
export function readStix(text: string): StixResult | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const parsed = bundle.safeParse(json);
  if (!parsed.success) return null;
  const indicators: Indicator[] = [];
  let skipped = 0;
  for (const object of parsed.data.objects) {
    if (object.type !== 'indicator') continue;
    const one = indicator.safeParse(object);
    const values = one.success && one.data.pattern_type === 'stix' ? patternValues(one.data.pattern) : null;
    if (!one.success || !values) {
      skipped += 1;
      continue;
    }
    if (one.data.revoked) continue;
    const { name, description, valid_until: until } = one.data;
    const expiresAt = until === undefined ? null : Date.parse(until);
    for (const { kind, value } of values) {
      indicators.push({ kind, value, expiresAt, note: (name ?? description ?? '').slice(0, 300) });
    }
  }
  return { indicators, skipped };
}
