import { type Match, match } from './finding.ts';

const DOCTYPE = /<!doctype\s/gi;
const DECLARATION_CHARS_MAX = 2_048;

/**
 * Document types that declare or fetch entities, and XInclude.
 * @param isXml the text is an XML body, in which any internal subset is refused, not a value that quotes one
 */
export function detectXxe(text: string, isXml: boolean): Match | null {
  DOCTYPE.lastIndex = 0;
  const doctype = DOCTYPE.exec(text);
  if (doctype) {
    const declaration = text.slice(doctype.index, doctype.index + DECLARATION_CHARS_MAX);
    const end = doctype.index + Math.min(40, declaration.length);
    const quoted = /<!entity\s|\[[^\]]{0,512}<!/i.test(declaration);
    const html = /^<!doctype\s{1,8}(?:html|svg)\b[^[]{0,200}>/i.test(declaration);
    if (quoted || (!html && /\b(?:system|public)\s{0,8}["']/i.test(declaration)))
      return match('xxe', 'doctype', 0.95, doctype.index, end);
    if (isXml && !html) return match('xxe', 'doctype', 0.85, doctype.index, end);
  }
  const entity = /<!entity\s{1,8}(?:%\s{1,8})?[\w.:-]{1,80}\s{1,8}(?:system|public|["'])/i.exec(text);
  if (entity) return match('xxe', 'entity', 0.95, entity.index, entity.index + entity[0].length);
  const include = /<(?:\w{1,20}:)?include\s[^>]{0,200}href\s{0,4}=|http:\/\/www\.w3\.org\/2001\/XInclude/i.exec(text);
  return include ? match('xxe', 'xinclude', 0.9, include.index, include.index + 16) : null;
}
