import { decodeEntities } from './decode.ts';

const NAME_CHARS_MAX = 100;
const DEPTH_MAX = 100;

/**
 * Visits texts and attribute values of an XML document with the names of the elements around them. Not a parser:
 * whether the document is well-formed is for the upstream, here only no value may stay unseen.
 */
export function walkXml(text: string, visit: (tokens: readonly string[], value: string) => void): void {
  const open: string[] = [];
  let at = 0;
  while (at < text.length) {
    const mark = text.indexOf('<', at);
    const content = text.slice(at, mark === -1 ? text.length : mark);
    if (content.trim() !== '') visit(open, decodeEntities(content.trim()));
    if (mark === -1) return;
    at = readMarkup(text, mark, open, visit);
  }
}

function past(text: string, sign: string, from: number): number {
  const found = text.indexOf(sign, from);
  return found === -1 ? text.length : found + sign.length;
}

function readMarkup(
  text: string,
  mark: number,
  open: string[],
  visit: (tokens: readonly string[], value: string) => void,
): number {
  if (text.startsWith('<!--', mark)) return past(text, '-->', mark + 4);
  if (text.startsWith('<![CDATA[', mark)) {
    const end = past(text, ']]>', mark + 9);
    visit(open, text.slice(mark + 9, Math.max(mark + 9, end - 3)));
    return end;
  }
  if (text[mark + 1] === '?') return past(text, '?>', mark + 2);
  if (text[mark + 1] === '!') return past(text, '>', mark + 2);
  const end = past(text, '>', mark + 1);
  const inside = text.slice(mark + 1, end - 1);
  if (inside.startsWith('/')) {
    open.pop();
    return end;
  }
  const name = /^[^\s/>]{1,100}/.exec(inside)?.[0] ?? '';
  if (open.length < DEPTH_MAX) open.push(name.slice(0, NAME_CHARS_MAX).replace(/^.*:/, ''));
  for (const [, attribute = '', double, single] of inside
    .slice(name.length)
    .matchAll(/([^\s=/]{1,100})\s{0,8}=\s{0,8}(?:"([^"]*)"|'([^']*)')/g)) {
    // Names of schemas and namespaces are URLs that nobody fetches.
    if (!/^xmlns(?::|$)|:schemalocation$/i.test(attribute))
      visit([...open, `@${attribute}`], decodeEntities(double ?? single ?? ''));
  }
  if (inside.endsWith('/')) open.pop();
  return end;
}
