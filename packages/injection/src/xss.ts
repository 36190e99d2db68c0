import { decodeEntities } from './decode.ts';
import { type Match, match } from './finding.ts';

const ACTIVE_TAGS = new Set([
  'script',
  'object',
  'embed',
  'applet',
  'base',
  'frameset',
  'frame',
  'isindex',
  'bgsound',
  'layer',
  'ilayer',
  'xml',
  'xss',
  'noembed',
]);
/** Active only with the attribute that makes them so. */
const FRAME_TAGS = new Set(['iframe', 'link', 'meta', 'form', 'style', 'math', 'portal', 'import']);
const URL_ATTRIBUTES = new Set([
  'href',
  'src',
  'action',
  'formaction',
  'data',
  'xlink:href',
  'poster',
  'background',
  'code',
  'from',
  'to',
  'values',
  'srcdoc',
  'lowsrc',
  'dynsrc',
  'content',
  'folder',
  'manifest',
]);
const TAG_CHARS_MAX = 4_096;
const HANDLER = /^on[a-z]{3,30}$/;
const SCRIPT_URL =
  /^(?:javascript|vbscript|livescript|mocha|jscript|data:(?:text\/(?:html|xml|javascript)|image\/svg|application\/x?h?t?m?l?)):?/;
const CALL =
  /(?:^|[^\w.])(?:alert|confirm|prompt|eval|atob|fetch|settimeout|setinterval|function|import|print|document\s{0,3}[.[]|window\s{0,3}[.[]|location\s{0,3}[.=[]|top\s{0,3}\[|self\s{0,3}\[|globalthis|constructor|xmlhttprequest|string\.fromcharcode|console\.log)\s{0,3}[(.`['\w=]/i;
const JS_BREAK = /^[^'"`]{0,64}(?:['"`]|<\/?script>?)\s{0,4}\)?\s{0,4}[;+\-*^|&,>}]/;
const ATTRIBUTE_BREAK = /["'`][\s/]{0,8}(?:[a-z-]{1,20}(?:=[^\s"'>]{0,40})?[\s/]{1,8}){0,3}on[a-z]{3,30}[\s]{0,8}=/i;
const BARE_HANDLER =
  /^[\s/]{0,8}on(?:error|load|click|mouse\w{2,6}|focus|blur|key\w{2,5}|pointer\w{2,6}|toggle|begin|animation\w{3,10}|wheel|copy|paste)\s{0,4}=\s{0,4}["'`]?[\w.]{1,40}\s{0,3}[(=`]/i;

/** Removes what browsers skip within a scheme (WHATWG URL, section 4.4): control characters and spaces. */
function squeeze(url: string): string {
  let squeezed = '';
  for (const character of url.slice(0, 256)) if (character > ' ' && character !== '\u00a0') squeezed += character;
  return squeezed.toLowerCase();
}

function isScriptUrl(value: string): boolean {
  const url = squeeze(decodeEntities(value));
  return (
    SCRIPT_URL.test(url) &&
    !url.startsWith('data:image/svg+xml;base64') &&
    (url.includes(':') || url.startsWith('data'))
  );
}

/** HTML that runs: read as a browser's tokenizer reads it, not as a pattern of one spelling. */
export function detectXss(text: string): Match | null {
  const tag = scanTags(text);
  if (tag) return tag;
  const url = squeeze(decodeEntities(text));
  if (/^(?:javascript|vbscript|livescript):/.test(url) && /[(`=]|%28|\/\//.test(url))
    return match('xss', 'script-url', 0.9, 0, Math.min(text.length, 24));
  if (/^data:text\/html[,;]/.test(url)) return match('xss', 'script-url', 0.85, 0, Math.min(text.length, 24));
  const attribute = text.includes('=') ? (ATTRIBUTE_BREAK.exec(text) ?? BARE_HANDLER.exec(text)) : null;
  if (attribute) return match('xss', 'attribute-break', 0.85, attribute.index, attribute.index + attribute[0].length);
  const broken = JS_BREAK.exec(text);
  const call = broken ? CALL.exec(text.slice(broken[0].length - 1)) : null;
  if (broken && call)
    return match('xss', 'script-break', 0.8, broken[0].length - 1, broken[0].length + call.index + call[0].length - 1);
  return null;
}

function scanTags(text: string): Match | null {
  for (let at = text.indexOf('<'); at !== -1;) {
    const end = Math.min(text.length, at + TAG_CHARS_MAX);
    const { found, next } = readTag(text, at, end);
    if (found) return found;
    at = text.indexOf('<', Math.max(next, at + 1));
  }
  return null;
}

const isNameChar = (character: string): boolean =>
  character !== '' && !' \t\n\r\f/>='.includes(character) && character !== '<';

function readTag(text: string, at: number, end: number): { found: Match | null; next: number } {
  let next = at + 1;
  const closing = text[next] === '/';
  if (closing) next++;
  while (next < end && (text.charCodeAt(next) === 0 || (text[next] === ' ' && text[at + 1] === '/'))) next++;
  if (!/[a-z!?%]/i.test(text.charAt(next))) return { found: null, next };
  const nameStart = next;
  while (next < end && isNameChar(text.charAt(next))) next++;
  const name = text.slice(nameStart, next).toLowerCase().replaceAll('\0', '');
  const plain = name.replace(/^[a-z]{1,10}:/, '');
  const whole = match('xss', 'active-tag', 0.9, at, next);
  if (plain === 'script' || /^script\W/.test(plain)) return { found: { ...whole, confidence: 0.95 }, next };
  if (closing) return { found: null, next };
  if (ACTIVE_TAGS.has(plain)) return { found: text[next] === undefined ? null : { ...whole, confidence: 0.8 }, next };
  return readAttributes(text, at, next, end, plain);
}

function readAttributes(
  text: string,
  at: number,
  from: number,
  end: number,
  tag: string,
): { found: Match | null; next: number } {
  let next = from;
  while (next < end && text[next] !== '>') {
    while (next < end && ' \t\n\r\f/\v\0'.includes(text[next]!)) next++;
    const start = next;
    while (next < end && isNameChar(text.charAt(next))) next++;
    const name = text
      .slice(start, next)
      .toLowerCase()
      .replace(/^["']+/, '');
    while (next < end && ' \t\n\r\f'.includes(text[next]!)) next++;
    if (text[next] !== '=') {
      if (next === start) next++;
      continue;
    }
    next++;
    while (next < end && ' \t\n\r\f'.includes(text[next]!)) next++;
    const valueStart = next;
    next = skipValue(text, next, end);
    const rule = judgeAttribute(
      tag,
      name,
      text.slice(valueStart, Math.min(next, valueStart + 512)).replace(/^["'`]|["'`]$/g, ''),
    );
    if (rule) return { found: match('xss', rule, 0.9, start > at + 60 ? start : at, valueStart + 8), next };
  }
  return { found: null, next };
}

function skipValue(text: string, at: number, end: number): number {
  const quote = text[at];
  if (quote === '"' || quote === "'" || quote === '`') {
    const close = text.indexOf(quote, at + 1);
    return close === -1 || close >= end ? end : close + 1;
  }
  let next = at;
  while (next < end && !' \t\n\r\f>'.includes(text[next]!)) next++;
  return next;
}

function judgeAttribute(tag: string, name: string, value: string): string | null {
  if (HANDLER.test(name)) return 'event-handler';
  if (name === 'srcdoc') return 'frame-content';
  if (URL_ATTRIBUTES.has(name) && isScriptUrl(value)) return 'script-url';
  if (name === 'style' && /expression\s?\(|-moz-binding|behaviou?r\s?:|javascript:/i.test(value)) return 'style-script';
  if (name === 'xmlns' && tag === 'svg') return null;
  if (!FRAME_TAGS.has(tag)) return null;
  if (tag === 'meta') return name === 'http-equiv' && /refresh|set-cookie/i.test(value) ? 'active-tag' : null;
  if (tag === 'link') return name === 'rel' && /import|stylesheet/i.test(value) ? 'active-tag' : null;
  return name === 'src' || name === 'href' ? 'active-tag' : null;
}
