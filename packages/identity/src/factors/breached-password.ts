let known: Promise<ReadonlySet<string>> | null = null;

/** About 50,000 passwords from breaches, shipped with an npm package: nothing is asked over the network. */
function loadKnown(): Promise<ReadonlySet<string>> {
  known ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => new Set(dictionary['passwords-common']));
  return known;
}

/** A listed word shorter than this says nothing when digits and signs were added to it. */
const WORD_CHARS_MIN = 5;

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
};

function withoutLeet(text: string): string {
  return text.replace(/[013457@$]/g, (sign) => LEET[sign] ?? sign);
}

/** The word within digits and signs: `password` of `password-2026!`. */
function coreOf(text: string): string {
  return text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
}

/**
 * Whether a password, in lower case, is a listed one: as it is, spelt with digits for letters, written twice, or with
 * digits and signs around it (`Password-2026!`).
 */
export async function isBreachedPassword(lower: string): Promise<boolean> {
  const list = await loadKnown();
  const core = coreOf(lower);
  const words = [core, withoutLeet(core), coreOf(withoutLeet(lower))];
  const half = lower.slice(0, lower.length / 2);
  return (
    list.has(lower) ||
    list.has(withoutLeet(lower)) ||
    (half + half === lower && list.has(half)) ||
    words.some((word) => word.length >= WORD_CHARS_MIN && list.has(word))
  );
}
