import { type Match, match } from './finding.ts';

const ATTRIBUTES =
  /^(?:uid|cn|sn|ou|dc|dn|mail|objectclass|objectcategory|samaccountname|userpassword|password|memberof|givenname|userprincipalname|member|description|homedirectory|department|role|admin|user|username|name|pass|zzz?)$/i;

/** A value that closes the filter it stands in and opens another (RFC 4515). */
export function detectLdap(text: string): Match | null {
  for (let at = text.indexOf(')'); at !== -1; at = text.indexOf(')', at + 1)) {
    let next = at + 1;
    while (text[next] === ')' || text[next] === ' ') next++;
    if (text[next] !== '(') {
      // `*))%00`: the rest of the filter is cut off.
      if (text[next] === '\0' && at > 0) return match('ldap', 'filter-cut', 0.9, Math.max(0, at - 1), next + 1);
      continue;
    }
    while (text[next + 1] === '(') next++;
    const found = opening(text, next);
    if (found)
      return match(
        'ldap',
        'filter-break',
        text[at - 1] === '*' ? 0.95 : found,
        Math.max(0, at - 1),
        Math.min(text.length, next + 12),
      );
  }
  const start = /^\*?\(?[|&]\(|^\*\(\||^[|&!]\([a-z]{1,20}=/i.exec(text);
  if (start && /\([a-z]{1,20}[~<>]?=/i.test(text) && !isBalanced(text))
    return match('ldap', 'filter-operator', 0.8, 0, Math.min(text.length, 16));
  return null;
}

/** What an opening bracket begins: an operator with filters, or `attribute=`. */
function opening(text: string, at: number): number {
  const sign = text[at + 1];
  if ((sign === '|' || sign === '&' || sign === '!') && '()'.includes(text[at + 2] ?? ')')) return 0.9;
  if ((sign === '|' || sign === '&') && /^\s{0,4}\(?[a-z]{0,20}=/i.test(text.slice(at + 2, at + 28))) return 0.9;
  let end = at + 1;
  while (end - at < 40 && /[\w.;-]/.test(text.charAt(end))) end++;
  const word = text.slice(at + 1, end);
  const operator = /^[~<>:]?=/.test(text.slice(end, end + 2));
  if (!operator || word === '' || text[end + 1] === '=') return 0;
  return ATTRIBUTES.test(word) ? 0.9 : 0.55;
}

function isBalanced(text: string): boolean {
  let depth = 0;
  for (const sign of text) {
    if (sign === '(') depth++;
    else if (sign === ')' && --depth < 0) return false;
  }
  return depth === 0 && text.startsWith('(');
}
