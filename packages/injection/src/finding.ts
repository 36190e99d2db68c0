/** What an attack speaks to. */
export const INJECTION_KINDS = [
  'sql',
  'nosql',
  'command',
  'path-traversal',
  'ldap',
  'xss',
  'template',
  'xxe',
  'header',
  'ssrf',
  'deserialization',
] as const;
export type InjectionKind = (typeof INJECTION_KINDS)[number];

export type InjectionPlace = 'path' | 'query' | 'header' | 'body';

/** What a detector saw in one text, as offsets into that text. */
export interface Match {
  readonly kind: InjectionKind;
  /** Stable name of what was recognised: `tautology`, `union-select`. */
  readonly rule: string;
  /** 0 to 1: how unlikely it is that ordinary text reads so. */
  readonly confidence: number;
  readonly start: number;
  readonly end: number;
}

export interface InjectionFinding {
  readonly kind: InjectionKind;
  readonly rule: string;
  readonly confidence: number;
  readonly in: InjectionPlace;
  /** JSON Pointer (RFC 6901) within `in`; for a header or query parameter `/` and its name. */
  readonly pointer: string;
  /** What was matched, words that aren't part of an attack's vocabulary masked. Never a whole value. */
  readonly evidence: string;
}

export function match(kind: InjectionKind, rule: string, confidence: number, start: number, end: number): Match {
  return { kind, rule, confidence, start, end };
}
