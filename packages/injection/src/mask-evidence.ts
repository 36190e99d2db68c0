import { COMPARISONS, FUNCTIONS, KEYWORDS, LOGIC, STATEMENTS, STRONG_FUNCTIONS } from './sql-words.ts';

const EVIDENCE_CHARS_MAX = 64;
/** Beyond SQL's own words: what evidence must name to be understood. */
const VOCABULARY = new Set(
  `script svg img iframe onerror onload onclick onmouseover onfocus javascript vbscript alert prompt eval href src
   cat whoami curl wget bash sh powershell cmd nc ping nslookup etc passwd shadow proc self windows win ini bin usr
   http https file gopher dict localhost metadata google internal doctype entity system public xml jndi ldap rmi
   class mro subclasses globals builtins config constructor where regex exists function this return union
   location cookie content type length objectclass uid php python ruby java lang runtime ifs env id ls`
    .trim()
    .split(/\s+/),
);
const SETS = [COMPARISONS, FUNCTIONS, KEYWORDS, LOGIC, STATEMENTS, STRONG_FUNCTIONS, VOCABULARY];

/**
 * The matched part as it may be recorded: punctuation and the words of the attack stay, other words keep their first
 * letter, digits beyond three become `#`. Whoever reads it sees what was wrong, not what the value was.
 */
export function maskEvidence(text: string, start: number, end: number): string {
  const part = text.slice(Math.max(0, start), Math.min(end, start + EVIDENCE_CHARS_MAX, text.length));
  const masked = part.replace(/[\p{L}\p{N}_]+/gu, (word) => {
    if (SETS.some((set) => set.has(word.toLowerCase()))) return word;
    if (/^\d+$/.test(word)) return word.length > 3 ? '#'.repeat(Math.min(word.length, 8)) : word;
    return word.length < 3 ? word : `${word.slice(0, 1)}***`;
  });
  let visible = '';
  for (const sign of masked) {
    const code = sign.codePointAt(0)!;
    visible += code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, '0')}` : sign;
  }
  return visible.length > EVIDENCE_CHARS_MAX * 2 ? visible.slice(0, EVIDENCE_CHARS_MAX * 2) : visible;
}
