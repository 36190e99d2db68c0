import type { Detector } from './detector.ts';

/** What the name of a field says about its value. */
export interface KeyHint {
  readonly name: string;
  readonly words: readonly string[];
  /** Detectors for whose values this name is context. */
  readonly context: ReadonlySet<number>;
  /** Detectors that take the whole value on the strength of this name, best first. */
  readonly byKey: readonly number[];
  /** Secret detectors one of whose keywords is in this name. */
  readonly assigned: readonly number[];
  /** The value is a flag, a count, a time or a machine's identifier about the thing the name speaks of. */
  readonly aside: boolean;
  /** The name says nothing by itself, so its parent's name counts. */
  readonly generic: boolean;
  /** The field holds prose or anything at all, so its name speaks neither for nor against what is in it. */
  readonly freeText: boolean;
  /** Anything above makes the value worth a look even when its bytes don't. */
  readonly telling: boolean;
}

const WORDS_MAX = 12;
/** Longer names, and paths, are data and no names. */
const NAME_CHARACTERS_MAX = 96;

/** `billingAddress.postal_code`, `E-Mail`, `SSNNumber` → lower-case words. */
export function splitKey(name: string): string[] {
  return name
    .slice(0, NAME_CHARACTERS_MAX)
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .toLowerCase()
    .replaceAll(/\be[-_ ]mails?\b/g, 'email')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .replaceAll(/(\p{L})(\d)/gu, '$1 $2')
    .trim()
    .split(' ')
    .slice(0, WORDS_MAX);
}

/** Last words that make a field one about a thing and not the thing: `email_verified`, `phone_count`, `address_id`. */
const ASIDE_LAST = new Set(
  (
    'verified enabled disabled confirmed required optional allowed active valid validated visible public private hidden ' +
    'count total max min limit size length type types kind status state at on time timestamp ts created updated expires ' +
    'expiry expiration format template templates subject body opt in out optin optout preference preferences settings ' +
    'setting notifications notification subscribed unsubscribed subscription consent marketing permission permissions ' +
    'hash md5 sha1 sha256 digest checksum url uri href link links path file filename extension position order index ' +
    'sort score rate locale language encoding version source provider service policy mode hint placeholder label title ' +
    'description desc error errors message messages field fields id ids date datetime reason subscribe login activity schema column columns tracking clicked opened bounced'
  ).split(' '),
);
/** First words that ask a question. */
const ASIDE_FIRST = new Set(
  'is has have had can should allow enable disable require requires send show hide use num count total'.split(' '),
);
/** Names that say nothing by themselves; their parent's name says what they hold. */
const GENERIC = new Set(
  'number numbers value values no num nr code id name text data line line1 line2 line 1 2 first last full given family street city state zip country display formatted content body current primary work home mobile token key secret'.split(
    ' ',
  ),
);
const FREE_TEXT = new Set(
  (
    'text body message messages content contents description comment comments note notes title subject summary reply ' +
    'prompt input output answer question markdown html plain snippet details remarks memo reason log stdout query'
  ).split(' '),
);
const GENERIC_VALUES = new Set('value values data payload item field'.split(' '));

interface Rule {
  readonly words: readonly string[];
  readonly detector: number;
  readonly byKey: boolean;
}

/** A name that says nothing. */
function nameless(name: string): KeyHint {
  return {
    name: name.slice(0, NAME_CHARACTERS_MAX),
    words: [],
    context: new Set(),
    byKey: [],
    assigned: [],
    aside: false,
    generic: false,
    freeText: true,
    telling: false,
  };
}

/** A word of a phrase, or its plural. */
function isWord(word: string | undefined, expected: string): boolean {
  return word === expected || (word !== undefined && word.length === expected.length + 1 && word === `${expected}s`);
}

/** Compiles the `keys`, `not` and `keywords` of detectors into one look-up from a name to its hint. */
export class KeyRules {
  private readonly byFirst = new Map<string, Rule[]>();
  private readonly not: readonly (readonly (readonly string[])[])[];
  private readonly keywords: readonly (readonly [string, number])[];
  /** Whether any keyword at all is in a name, in one test. */
  private readonly anyKeyword: RegExp;

  constructor(detectors: readonly Detector[]) {
    const keywords: [string, number][] = [];
    for (const [index, detector] of detectors.entries()) {
      const byKey = detector.value !== undefined && detector.keywords.length === 0 && detector.anchors.length === 0;
      for (const phrase of detector.keys) {
        const words = phrase.toLowerCase().split(' ');
        this.add({ words, detector: index, byKey });
        if (words.length > 1) this.add({ words: [words.join('')], detector: index, byKey });
      }
      for (const keyword of detector.keywords)
        keywords.push([keyword.toLowerCase().replaceAll(/[^a-z0-9]/g, ''), index]);
    }
    this.keywords = keywords;
    // Keywords are letters and digits, so they need no escaping; the empty class matches nothing.
    this.anyKeyword = new RegExp([...new Set(keywords.map(([keyword]) => keyword))].join('|') || '[]');
    this.not = detectors.map((detector) => detector.not.map((phrase) => phrase.toLowerCase().split(' ')));
  }

  private add(rule: Rule): void {
    const first = rule.words[0] ?? '';
    const rules = this.byFirst.get(first);
    if (rules) rules.push(rule);
    else this.byFirst.set(first, [rule]);
  }

  /** Hint for a name, given the name of the object it is in. */
  hint(name: string, parent: KeyHint | undefined): KeyHint {
    if (name.length > NAME_CHARACTERS_MAX || name.startsWith('/')) return nameless(name);
    const words = splitKey(name);
    const generic = words.length <= 2 && words.every((word) => GENERIC.has(word));
    const all = generic && parent ? [...parent.words.slice(-2), ...words] : words;
    const last = words.at(-1) ?? '';
    const asking = ASIDE_FIRST.has(words[0] ?? '') && words.length > 1;
    const aside = asking || (words.length > 1 && ASIDE_LAST.has(last));
    const context = new Set<number>();
    const byKey: Rule[] = [];
    for (const [position, word] of all.entries()) {
      for (const rule of this.rulesFor(word)) {
        if (!rule.words.every((expected, offset) => isWord(all[position + offset], expected))) continue;
        const reachesOwn = position + rule.words.length > all.length - words.length;
        if (!reachesOwn || this.excluded(rule.detector, all)) continue;
        if (!rule.byKey) context.add(rule.detector);
        else if (!asking && (!aside || (rule.words.length > 1 && position + rule.words.length === all.length)))
          byKey.push(rule);
      }
    }
    byKey.sort((a, b) => b.words.length - a.words.length);
    const joined = all.join('');
    const kept = asking ? new Set<number>() : aside ? keepWhenLastBelongs(context, all, this.byFirst) : context;
    const assigned = this.anyKeyword.test(joined)
      ? [...new Set(this.keywords.filter(([keyword]) => joined.includes(keyword)).map(([, index]) => index))]
      : [];
    return {
      name,
      words,
      context: kept,
      byKey: [...new Set(byKey.map((rule) => rule.detector))],
      assigned,
      aside,
      generic,
      freeText: FREE_TEXT.has(last) || (words.length === 1 && GENERIC_VALUES.has(last)),
      telling: kept.size > 0 || byKey.length > 0 || assigned.length > 0,
    };
  }

  private rulesFor(word: string): readonly Rule[] {
    const rules = this.byFirst.get(word);
    if (rules !== undefined) return rules;
    return (word.endsWith('s') ? this.byFirst.get(word.slice(0, -1)) : undefined) ?? [];
  }

  private excluded(detector: number, words: readonly string[]): boolean {
    return (this.not[detector] ?? []).some((phrase) =>
      words.some((_, position) => phrase.every((expected, offset) => words[position + offset] === expected)),
    );
  }
}

/** `document_type` is about a document, but `driver_license_state` names… a phrase that itself ends in the aside word stays. */
function keepWhenLastBelongs(
  context: ReadonlySet<number>,
  words: readonly string[],
  rules: ReadonlyMap<string, readonly Rule[]>,
): Set<number> {
  const kept = new Set<number>();
  for (const [position, word] of words.entries()) {
    for (const rule of rules.get(word) ?? []) {
      const matches = rule.words.every((expected, offset) => words[position + offset] === expected);
      if (matches && position + rule.words.length === words.length && context.has(rule.detector))
        kept.add(rule.detector);
    }
  }
  return kept;
}

/** Entries that the cache holds; a direct-mapped table, so memory stays bounded whatever names a document uses. */
const CACHE_ENTRIES = 65_536;

export interface KeyEntry {
  readonly name: Uint8Array;
  /** Name of the object it is in, where the hint depends on it. */
  readonly parent: string | undefined;
  readonly hint: KeyHint;
  /** The name that followed last time: records of a kind have their fields in the same order. */
  next: KeyEntry | undefined;
}

/** Whether `bytes` at `start` are the name of `entry` and then a quotation mark, in an object of that name. */
export function isPredicted(entry: KeyEntry, bytes: Uint8Array, start: number, to: number, parent?: KeyHint): boolean {
  const { name } = entry;
  const end = start + name.length;
  if (end >= to || bytes[end] !== 0x22) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return !entry.hint.generic || entry.parent === parent?.name;
}

/** Remembers hints by the bytes of the name, and by the parent's name too for names that say nothing alone. */
export class KeyCache {
  private readonly rules: KeyRules;
  // One object for each entry: a look-up then waits for memory once and not three times.
  private readonly entries: (KeyEntry | undefined)[] = Array.from({ length: CACHE_ENTRIES });
  private readonly decoder = new TextDecoder();

  constructor(rules: KeyRules) {
    this.rules = rules;
  }

  /** `hash` is any hash of the name's bytes that the caller has at hand. */
  lookup(bytes: Uint8Array, start: number, end: number, hash: number, parent: KeyHint | undefined): KeyEntry {
    const own = this.find(bytes, start, end, slotOf(hash), undefined);
    if (!own.hint.generic || parent === undefined) return own;
    const salt =
      (parent.name.length << 7) ^ (parent.name.charCodeAt(0) << 3) ^ parent.name.charCodeAt(parent.name.length - 1);
    return this.find(bytes, start, end, slotOf(hash ^ Math.imul(salt, 0x85ebca6b)), parent);
  }

  private find(bytes: Uint8Array, start: number, end: number, slot: number, parent: KeyHint | undefined): KeyEntry {
    const parentName = parent?.name;
    for (let way = slot; ; way ^= 1) {
      const entry = this.entries[way];
      if (entry && entry.parent === parentName && sameBytes(entry.name, bytes, start, end)) return entry;
      if (way !== slot) break;
    }
    // Copied: a Buffer's own slice is a view that would keep the whole document, and change with it.
    const name = new Uint8Array(bytes.subarray(start, end));
    const made = this.rules.hint(this.decoder.decode(name), parent);
    // The newcomer takes the slot; what was there gets the other way, so that two names can live side by side.
    this.entries[slot ^ 1] = this.entries[slot];
    const entry: KeyEntry = { name, parent: parentName, hint: made, next: undefined };
    this.entries[slot] = entry;
    return entry;
  }

  /** Hint for a name that is already text. */
  hint(name: string, parent?: KeyHint): KeyHint {
    return this.rules.hint(name, parent);
  }
}

/** Spreads a weak hash over the table. */
function slotOf(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) & (CACHE_ENTRIES - 1);
}

function sameBytes(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}
