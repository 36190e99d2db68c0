import { createFieldClassifier, loadDetectors } from '@cordon/classifier';
import { isWithin } from './label.ts';

export interface FieldNames {
  readonly persons: readonly string[];
  readonly rules: readonly {
    /** Words that the name ends with. */
    readonly last: readonly string[];
    /** One of these is in the object or in a name above. */
    readonly in: readonly string[];
    readonly within?: 'person' | undefined;
    /** JSON types; empty: any. */
    readonly types: readonly string[];
    readonly category: string;
  }[];
}

export interface NamedField {
  /** As `walkJson` gives it: `items[].owner.email`. */
  readonly path: string;
  readonly object: string;
  readonly type: string | null;
}

export interface CategoryFinding {
  readonly category: string;
  /** `name`, or the type of the detector that spoke for the content. */
  readonly from: string;
}

/** Detectors that fire this often in a field's samples say what it is, whatever its name. */
const CONTENT_SHARE_MIN = 0.5;
const OPERATIONS = 'system.operations';

/** `billingAddress.postal_code` → ['billing address', 'postal code']. */
export function wordsOf(path: string): string[] {
  return path
    .split('.')
    .map((part) =>
      part
        .replace(/\[\]/g, '')
        .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
        .replace(/([A-Z])([A-Z][a-z])/g, '$1 $2')
        .replace(/[_\-$*\s]+/g, ' ')
        .trim()
        .toLowerCase(),
    )
    .filter((part) => part !== '');
}

/** `categories` → `category`; names of sets come in both numbers. */
export function singular(word: string): string {
  if (/(?:ss|us|is)$/.test(word)) return word;
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`;
  if (/(?:sses|shes|ches|xes)$/.test(word)) return word.slice(0, -2);
  return word.endsWith('s') && word.length > 2 ? word.slice(0, -1) : word;
}

function endsWithPhrase(words: string, phrase: string): boolean {
  return words === phrase || words.endsWith(` ${phrase}`);
}

function holdsPhrase(parts: readonly string[], phrase: string): boolean {
  return parts.some((part) => endsWithPhrase(part, phrase) || endsWithPhrase(singular(part), phrase));
}

export interface FieldCategories {
  byName(field: NamedField): CategoryFinding;
  /** By name, and by what detectors found in the values where that is most of them. */
  judge(field: NamedField, samples: number, detections: Readonly<Record<string, number>>): CategoryFinding;
  /** What a detector type stands for. */
  detector(
    type: string,
  ): { readonly category: string; readonly label: 'public' | 'internal' | 'confidential' | 'restricted' } | undefined;
}

/** Says of fields which fideslang category they hold. Pure after it was made. */
export function createFieldCategories(names: FieldNames): FieldCategories {
  const detectors = loadDetectors();
  const classifier = createFieldClassifier(detectors);
  const byType = new Map(detectors.map(({ type, category, label }) => [type, { category, label }]));

  const byRule = ({ path, object, type }: NamedField): string | null => {
    const parts = wordsOf(path);
    const last = parts.at(-1) ?? '';
    const above = [...wordsOf(object), ...parts.slice(0, -1)];
    const isPerson = names.persons.some((person) => holdsPhrase(above.slice(-2), person));
    for (const rule of names.rules) {
      if (
        !rule.last.some((phrase) =>
          rule.within || rule.in.length > 0 ? last === phrase : endsWithPhrase(last, phrase),
        )
      )
        continue;
      if (rule.types.length > 0 && !rule.types.includes(type ?? '')) continue;
      if (rule.within === 'person' && !isPerson) continue;
      if (rule.in.length > 0 && !rule.in.some((phrase) => holdsPhrase(above, phrase))) continue;
      return rule.category;
    }
    return null;
  };

  const byName = (field: NamedField): CategoryFinding => {
    // A flag says something about data; it holds none.
    const found = classifier.classify(field.path.replace(/\[\]/g, ''), field.object).category;
    if (field.type === 'boolean') return { category: OPERATIONS, from: 'name' };
    const ruled = byRule(field);
    // The classifier's names are the more specific ones; rules fill in what it leaves open and take back what is none.
    const category = ruled === null ? found : found === OPERATIONS || ruled === OPERATIONS ? ruled : found;
    return { category, from: 'name' };
  };

  return {
    byName,
    judge(field, samples, detections) {
      const named = byName(field);
      const [top] = Object.entries(detections).toSorted((a, b) => b[1] - a[1]);
      const entry = top && byType.get(top[0]);
      if (!top || !entry || samples === 0 || top[1] / samples < CONTENT_SHARE_MIN) return named;
      // The name is right and more telling where both agree: a first name is a name.
      if (isWithin(named.category, entry.category)) return named;
      return { category: entry.category, from: top[0] };
    },
    detector: (type) => byType.get(type),
  };
}
