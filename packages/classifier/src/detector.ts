/** How much harm disclosure does; labels are ordered from `public` to `restricted`. */
export const LABELS = ['public', 'internal', 'confidential', 'restricted'] as const;
export type Label = (typeof LABELS)[number];

/**
 * What a detector file says about one kind of data.
 *
 * A detector finds candidates by one of: `formats` and `weak` (shapes of letters and digits), `mixed` (length of an
 * unbroken run of letters and digits), `anchors` (literal beginnings of secrets), `keywords` (words in the name a
 * secret is assigned to), `value` (the whole value of a field whose name matches `keys`), or `scanner` (code).
 */
export interface Detector {
  readonly type: string;
  readonly class: string;
  readonly category: string;
  readonly label: Label;
  readonly title: string;
  /** Names of the same kind elsewhere: Presidio entities, `stdnum/xx/yy`, gitleaks rules, validator.js checks. */
  readonly aliases: readonly string[];
  /** ISO 3166-1 alpha-2, for what only one country issues. */
  readonly country?: string;
  /** Shapes specific enough to be reported without context when valid: `9` digit, `A` letter, `X` either, `~` an optional space or hyphen. */
  readonly formats: readonly string[];
  /** Shapes that need a key or words nearby. */
  readonly weak: readonly string[];
  /** Shortest and longest unbroken run of letters and digits to try. */
  readonly mixed?: readonly [number, number];
  /** The candidate must match this from end to end. */
  readonly pattern?: string;
  /** Name of a checksum in code, or `stdnum:xx.yy`. */
  readonly validator?: string;
  /** Phrases that name the field, matched on the words of a key; also looked for in nearby text. */
  readonly keys: readonly string[];
  /** Words looked for in nearby text only. */
  readonly near: readonly string[];
  /** Keys that contain one of these phrases are about something else. */
  readonly not: readonly string[];
  /** Confidence of a valid candidate without context; absent: never reported without. */
  readonly alone?: number;
  /** Confidence with context. */
  readonly confirmed: number;
  /** Confidence when the text is nothing but this value and no field name is known. */
  readonly whole?: number;
  readonly anchors: readonly string[];
  readonly keywords: readonly string[];
  /** Regular expression of an assigned secret's value, or the name of a value check for detectors by key. */
  readonly value?: string;
  /** Least Shannon entropy in bits per character. */
  readonly entropy?: number;
  /** Values that match one of these are placeholders. */
  readonly allow: readonly string[];
  /** Bytes before the anchor at which `pattern` may begin; 0 when it begins with the anchor. */
  readonly back?: number;
  /** The pattern sees to its own surroundings; no word has to begin or end at the match. */
  readonly loose?: boolean;
  /** A catch-all: any named kind wins over it. */
  readonly generic?: boolean;
  /** The form is that of a stand-in in documentation, listed with little confidence instead of being passed over. */
  readonly standIn?: boolean;
  /** The secret may span lines and kilobytes. */
  readonly long?: boolean;
  /** Name of a scanner in code that produces this type. */
  readonly scanner?: string;
  /** Text (not the value alone) that the detector must and must not fire on. */
  readonly samples: { readonly hit: readonly string[]; readonly miss: readonly string[] };
}

/** One row of the published catalogue. */
export interface CatalogueEntry {
  readonly type: string;
  readonly class: string;
  readonly category: string;
  readonly label: Label;
  readonly description: string;
  readonly aliases: readonly string[];
  readonly country?: string;
}
