import { type Match, match } from './finding.ts';

/** Files that an attacker asks for and an API hardly. */
const TARGETS =
  /(?:^|[/\\])(?:etc[/\\](?:passwd|shadow|hosts|group|issue|sudoers|crontab|ssh)|proc[/\\](?:self|version|\d+[/\\])|win(?:dows|nt)[/\\](?:win\.ini|system32|system\.ini|repair)|boot\.ini|web-inf[/\\]|meta-inf[/\\]|\.git[/\\](?:config|head)|\.env$|\.ssh[/\\]|\.aws[/\\]credentials|\.htpasswd|\.htaccess|id_rsa|var[/\\]log[/\\]|wp-config\.php|php\.ini|my\.cnf)/i;
/** `....//`, `..;/`, `.%00./` left after decoding: spelled so that a filter taking out `../` leaves one. */
const STRETCHED = /\.\.\.\.[/\\]{1,2}|\.\.;[/\\]|\.\0\.[/\\]|\.\.[/\\]{2,}\.\./;
const STEP = /\.\.[/\\]/g;
const ABSOLUTE = /^(?:file:\/{0,4})?(?:[/\\]{1,2}|[a-z]:[/\\])/i;
const WRAPPER =
  /^(?:php:\/\/(?:filter|input|stdin|fd)|expect:\/\/|phar:\/\/|zip:\/\/|glob:\/\/|data:(?:\/\/)?text\/(?:plain|html|x-php)[;,].{0,40}<\?php|ogg:\/\/|compress\.zlib:\/\/)/i;

/** Steps out of a folder, in a text from which encodings were taken off. `encoded`: one of them hid something. */
export function detectTraversal(text: string, encoded: boolean, pathField: boolean): Match | null {
  const wrapper = WRAPPER.exec(text);
  if (wrapper) return match('path-traversal', 'stream-wrapper', 0.9, 0, wrapper[0].length);
  const steps = text.match(STEP)?.length ?? 0;
  const first = text.search(/\.\.[/\\]/);
  const target = TARGETS.exec(text);
  if (target && (steps > 0 || (target.index === 0 && ABSOLUTE.test(text)) || /^[a-z]:/i.test(text))) {
    const sure = steps > 0 || /passwd|shadow|win\.ini|boot\.ini|self/i.test(target[0]);
    return match(
      'path-traversal',
      'system-file',
      sure ? 0.95 : 0.7,
      Math.max(0, first),
      target.index + target[0].length,
    );
  }
  const stretched = STRETCHED.exec(text);
  if (stretched)
    return match('path-traversal', 'stretched-step', 0.9, stretched.index, stretched.index + stretched[0].length);
  if (steps > 0 && encoded) return match('path-traversal', 'encoded-step', 0.9, first, first + 3);
  if (steps > 1) return match('path-traversal', 'step', 0.8, first, first + 6);
  if (steps === 1 && (pathField || first === 0))
    return match('path-traversal', 'step', pathField ? 0.85 : 0.65, first, first + 3);
  if (pathField && /^\.\.$|[/\\]\.\.$/.test(text))
    return match('path-traversal', 'step', 0.8, text.length - 2, text.length);
  const nul = text.indexOf('\0');
  if (nul !== -1 && /^\.[a-z]{2,5}$/i.test(text.slice(nul + 1)))
    return match('path-traversal', 'null-byte', 0.85, nul, text.length);
  return null;
}
