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

/**
 * Whether a password, in lower case, is a listed one: as it is, spelt with digits for letters, written twice, or with
 * digits and signs around it (`Password-2026!`).
 */
export async function isBreachedPassword(lower: string): Promise<boolean> {
  const list = await loadKnown();
  const plain = lower.replace(/[013457@$]/g, (sign) => LEET[sign] ?? sign);
  return [lower, plain].some((text) => {
    const word = text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
    const half = text.slice(0, text.length / 2);
    return (
      list.has(text) || (word.length >= WORD_CHARS_MIN && list.has(word)) || (half + half === text && list.has(half))
    );
  });
}
