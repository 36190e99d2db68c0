import { type Match, match } from './finding.ts';

const NAMES =
  /^(?:set-cookie|cookie|location|content-(?:type|length|disposition|encoding)|transfer-encoding|host|refresh|link|x-[a-z-]{2,40}|access-control-[a-z-]{2,40}|cache-control|last-modified|authorization|referer|user-agent|connection|bcc|cc|to|from|subject|reply-to|mime-version|http\/\d)/i;
const LOG_LINE =
  /^\s{0,4}(?:\[?(?:info|error|warn(?:ing)?|debug|fatal|notice|critical)\]?[\s:[\]]|\d{4}-\d\d-\d\d[t ]\d\d:\d\d|\[\d{1,2}\/\w{3}\/\d{4}|\d{1,3}(?:\.\d{1,3}){3} - )/i;
const METHOD_LINE = /^(?:get|post|put|delete|head|options|patch|connect)\s{1,4}\S{1,200}\s{1,4}http\/\d/i;

/**
 * A line break with a header field, a request line or a forged log line behind it.
 * @param oneLine whether a value of this field has no business with line breaks (a query parameter, a header)
 */
export function detectHeader(text: string, oneLine: boolean, encoded: boolean): Match | null {
  for (let at = nextBreak(text, 0), tries = 0; at !== -1 && tries < 64; at = nextBreak(text, at + 1), tries++) {
    let from = at;
    while (isBreak(text.charCodeAt(from)) || text[from] === ' ' || text[from] === '\t') from++;
    const rest = text.slice(from, from + 256);
    const name = NAMES.exec(rest);
    const field = name && /^\s{0,2}:/.test(rest.slice(name[0].length));
    if (name && (field || /^http\/\d/i.test(rest))) {
      const carriage = text.charCodeAt(at) !== 0x0a;
      const mail = /^(?:to|from|subject|reply-to|link|host)$/i.test(name[0]);
      const ordinary = mail && !carriage;
      const confidence = ordinary ? 0.55 : oneLine ? 0.95 : carriage && !mail ? 0.75 : 0.5;
      return match(
        'header',
        'header-field',
        encoded ? Math.max(confidence, 0.85) : confidence,
        at,
        from + name[0].length + 1,
      );
    }
    if (METHOD_LINE.test(rest)) return match('header', 'request-line', oneLine ? 0.95 : 0.7, at, from + 12);
    if (LOG_LINE.test(rest) && (oneLine || encoded)) return match('header', 'log-line', 0.8, at, from + 8);
    if (encoded && text.charCodeAt(at) === 0x0d) return match('header', 'encoded-line-break', 0.75, at, from);
    at = from;
  }
  const escape = text.indexOf('\u001b[');
  return escape !== -1 && oneLine ? match('header', 'terminal-escape', 0.8, escape, escape + 2) : null;
}

/** U+560A and U+560D lose their upper byte in careless conversions; U+0085, U+2028 and U+2029 end lines for some. */
function isBreak(code: number): boolean {
  return (
    code === 0x0a ||
    code === 0x0d ||
    code === 0x560a ||
    code === 0x560d ||
    code === 0x85 ||
    code === 0x2028 ||
    code === 0x2029
  );
}

function nextBreak(text: string, from: number): number {
  for (let at = from; at < text.length; at++) if (isBreak(text.charCodeAt(at))) return at;
  return -1;
}
