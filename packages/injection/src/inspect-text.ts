import { maskOf, SEEN, TRIGGERS } from './char-mask.ts';
import { detectCommand } from './command.ts';
import { decodeBase64, type Variant, variants } from './decode.ts';
import { detectDeserialization, mayBeStream } from './deserialization.ts';
import type { FieldKind } from './field-kind.ts';
import type { Match } from './finding.ts';
import { detectHeader } from './header.ts';
import { detectLdap } from './ldap.ts';
import { detectNosql } from './nosql.ts';
import { detectSql } from './sql.ts';
import { detectSsrf, isPlainUrl } from './ssrf.ts';
import { detectTemplate } from './template.ts';
import { detectTraversal } from './traversal.ts';
import { detectXss } from './xss.ts';
import { detectXxe } from './xxe.ts';

/** How sure a detector must be for its finding to count in a field of this kind. */
const CONFIDENCE_MIN: Readonly<Record<FieldKind, number>> = {
  free: 1,
  plain: 0.7,
  term: 0.6,
  url: 0.7,
  path: 0.65,
  query: 0.85,
  encoded: 0.8,
  inert: 1,
};
/** Longer texts of unknown fields are prose or documents more often than not: only what is unmistakable counts. */
const PROSE_CHARS_MIN = 400;
const PROSE_CONFIDENCE_MIN = 0.9;
/** What is looked at of one value. Attacks are short; a longer value is read from its beginning and its end. */
export const TEXT_CHARS_MAX = 16_384;

export interface TextMatch extends Match {
  /** The text, possibly decoded, that the offsets refer to. */
  readonly text: string;
}

export interface TextField {
  readonly kind: FieldKind;
  /** A header value, path segment or query parameter: no line breaks belong there. */
  readonly oneLine: boolean;
}

/** Looks at one value in the light of its field. */
export function inspectText(text: string, field: TextField): TextMatch | null {
  if (field.kind === 'inert') return null;
  if (text.length <= TEXT_CHARS_MAX) return inspectPart(text, field);
  return inspectPart(text.slice(0, TEXT_CHARS_MAX), field) ?? inspectPart(text.slice(-TEXT_CHARS_MAX / 4), field);
}

function inspectPart(text: string, field: TextField): TextMatch | null {
  if (field.kind === 'free') return wrap(text, anchored(text));
  const mask = maskOf(text);
  if ((mask & TRIGGERS) === 0) {
    if (text.charCodeAt(0) === 0x2f) return inspectAbsolute(text, field);
    const hidden = mayBeHidden(text) ? inspectHidden(text, field) : null;
    return hidden ?? inspectWords(text, mask, field);
  }
  if ((mask & TRIGGERS & ~(SEEN.slashes | SEEN.operator | SEEN.comment)) === 0 && isPlainUrl(text)) return null;
  const floor = Math.max(CONFIDENCE_MIN[field.kind], isProse(text, mask) ? PROSE_CONFIDENCE_MIN : 0);
  const direct = inspectVariant({ text, by: '' }, mask, field, floor);
  if (direct) return direct;
  const encoded = mask & (SEEN.percent | SEEN.high | SEEN.backslash | SEEN.separator);
  if (encoded !== 0) {
    const layers = variants(text, (mask & SEEN.percent) !== 0, (mask & SEEN.high) !== 0, (mask & SEEN.backslash) !== 0);
    for (const layer of layers) {
      const found = inspectVariant(layer, maskOf(layer.text), field, floor);
      if (found) return found;
    }
  }
  return inspectHidden(text, field);
}

function isProse(text: string, mask: number): boolean {
  return text.length >= PROSE_CHARS_MIN && (mask & SEEN.space) !== 0;
}

/** In text that people write only a value that is a serialised object as a whole means anything. */
function anchored(text: string): Match | null {
  if (!mayBeStream(text.charCodeAt(0), text.charCodeAt(1))) return null;
  const found = detectDeserialization(text);
  return found && found.start === 0 && !/\s/.test(text.trim()) ? found : null;
}

function wrap(text: string, found: Match | null): TextMatch | null {
  return found && { ...found, text };
}

/** `/etc/passwd`, `/bin/cat x`: slashes and words only. */
function inspectAbsolute(text: string, field: TextField): TextMatch | null {
  const found = detectTraversal(text, false, field.kind === 'path') ?? detectCommand(text);
  return found && found.confidence >= CONFIDENCE_MIN[field.kind] ? { ...found, text } : null;
}

/** Words alone make SQL too: `1 and 2 like 2`, `1 order by 5`, `1 union select null from dual`. */
function inspectWords(text: string, mask: number, field: TextField): TextMatch | null {
  if ((mask & (SEEN.space | SEEN.plus)) === 0 || text.length > PROSE_CHARS_MIN) return null;
  if (
    !/\b(?:select|union|order\s{1,4}by|having|procedure)\b|\d[\s+]{1,4}(?:and|or|xor)[\s+]{1,4}(?:not[\s+]{1,4})?\d/i.test(
      text,
    )
  )
    return null;
  const found = detectSql(text);
  return found && found.confidence >= Math.max(CONFIDENCE_MIN[field.kind], 0.8) ? { ...found, text } : null;
}

function mayBeHidden(text: string): boolean {
  return text.length >= 12 && (!text.includes(' ') || mayBeStream(text.charCodeAt(0), text.charCodeAt(1)));
}

/** Base64 streams, and readable attacks inside Base64. */
function inspectHidden(text: string, field: TextField): TextMatch | null {
  if (mayBeStream(text.charCodeAt(0), text.charCodeAt(1))) {
    const stream = detectDeserialization(text);
    if (stream && stream.confidence >= CONFIDENCE_MIN[field.kind]) return { ...stream, text };
  }
  if (field.kind === 'encoded' || field.kind === 'url') return null;
  const inner = decodeBase64(text);
  if (inner === null) return null;
  const mask = maskOf(inner);
  if ((mask & TRIGGERS) === 0) return null;
  return inspectVariant({ text: inner, by: 'base64' }, mask, field, isProse(inner, mask) ? 0.95 : 0.8);
}

function inspectVariant({ text, by }: Variant, mask: number, field: TextField, floor: number): TextMatch | null {
  for (const detect of DETECTORS) {
    if ((mask & detect.needs) === 0) continue;
    const found = detect.run(text, mask, field, by);
    if (found && found.confidence >= (found.kind === 'ssrf' && field.kind === 'url' ? 0.7 : floor))
      return { ...found, text };
  }
  return null;
}

interface Detector {
  /** At least one of these must have been seen. */
  readonly needs: number;
  readonly run: (text: string, mask: number, field: TextField, by: string) => Match | null;
}

const ANY = ~0;

/** In the order in which an attack that several know is named. */
const DETECTORS: readonly Detector[] = [
  {
    needs: SEEN.angle,
    run: (text) => (text.includes('<!') || text.includes(':include') ? detectXxe(text, false) : null),
  },
  {
    needs: SEEN.dots | SEEN.slash | SEEN.backslash | SEEN.control | SEEN.colon,
    run: (text, _mask, field, by) => detectTraversal(text, by === 'percent' || by === 'unicode', field.kind === 'path'),
  },
  {
    needs: SEEN.slashes | SEEN.colon | SEEN.backslash | (SEEN.slash | SEEN.bracket),
    run: (text, _mask, field) => (field.kind === 'encoded' ? null : detectSsrf(text, field.kind === 'url')),
  },
  {
    needs: SEEN.dollar | SEEN.brace | SEEN.percent | SEEN.bracket | SEEN.comment | SEEN.open,
    run: (text, _mask, field) =>
      field.kind === 'url' && text.startsWith('http') && !text.includes('{') ? null : detectTemplate(text),
  },
  { needs: ANY, run: (text) => detectDeserialization(text) },
  { needs: SEEN.angle | SEEN.quote | SEEN.colon | SEEN.operator, run: (text) => detectXss(text) },
  { needs: SEEN.quote | SEEN.dollar | SEEN.open | SEEN.separator, run: (text) => detectNosql(text) },
  {
    needs: SEEN.quote | SEEN.open | SEEN.close | SEEN.operator | SEEN.comment | SEEN.separator | SEEN.space,
    run: (text, mask, field) => runSql(text, mask, field),
  },
  {
    needs: SEEN.separator | SEEN.dollar | SEEN.quote | SEEN.newline | SEEN.slash | SEEN.open | SEEN.brace | SEEN.space,
    run: (text, _mask, field) =>
      field.kind === 'url' && /^https?:\/\/[^\s;|`$]*$/.test(text) ? null : detectCommand(text),
  },
  {
    needs: SEEN.close | SEEN.open | SEEN.operator,
    run: (text) => (text.includes('(') || text.includes('\0') ? detectLdap(text) : null),
  },
  {
    needs: SEEN.newline | SEEN.control | SEEN.high,
    run: (text, _mask, field, by) => detectHeader(text, field.oneLine, by !== ''),
  },
];

function runSql(text: string, mask: number, field: TextField): Match | null {
  const bare = SEEN.quote | SEEN.open | SEEN.close | SEEN.operator | SEEN.comment | SEEN.separator;
  if ((mask & bare) === 0 && !/\b(?:select|union|order\s{1,4}by|or|and|having)\b/i.test(text)) return null;
  const found = detectSql(text);
  // Where statements are expected, only what breaks out of them counts.
  return found &&
    field.kind === 'query' &&
    found.rule !== 'union-select' &&
    found.rule !== 'stacked-statement' &&
    !(found.rule === 'tautology' && /['"]/.test(text)) &&
    found.rule !== 'function'
    ? null
    : found;
}
