import { type Match, match } from './finding.ts';

/** Openings of template and expression languages, and what closes them. */
const DELIMITERS: readonly (readonly [open: string, close: string])[] = [
  ['{{', '}}'],
  ['${', '}'],
  ['#{', '}'],
  ['*{', '}'],
  ['@{', '}'],
  ['~{', '}'],
  ['<%', '%>'],
  ['{%', '%}'],
  ['{#', '}'],
  ['[[', ']]'],
  ['@(', ')'],
  ['{php}', '{/php}'],
  ['<#', '>'],
  ['[#', ']'],
  ['#set(', ')'],
  ['#evaluate(', ')'],
  ['%{', '}'],
];
const EXPRESSION_CHARS_MAX = 600;
/** Reaching from a value to the runtime behind it. */
const REACH =
  /__(?:class|mro|subclasses|globals|builtins|init|import|base|bases|proto|getattribute|dict)__|\.constructor\b|constructor\.|getclass\s?\(|forname\s?\(|getruntime|processbuilder|runtime\b|\bt\s?\(\s?java|java\.(?:lang|io|util|net)|javax\.|freemarker\.|objectconstructor|\.exec\s?\(|\.eval\s?\(|\beval\s?\(|\bpopen\b|\bsystem\s?\(|\bshell_exec|passthru|\bspawn\s?\(|execsync|child_process|process\.(?:env|mainmodule|binding|version)|require\s?\(|global\.process|file\.(?:open|read)|dir\.|io\.(?:popen|read)|_self\.|\.env\.|registerundefinedfiltercallback|\bconfig(?:\.|\s?$|\.items)|\bself\.|\brequest[.[]|\bcycler\b|\blipsum\b|\bjoiner\b|\bnamespace\s?\(|\burl_for\b|get_flashed|application\.|springmacro|\.getenv|classloader|scriptengine|\|\s?(?:attr|safe|filter|map|system|passthru|join)\s?[(}|']|\bphpinfo\b|\bdebug\b\s?$|settings\.|secret_key|\bdump\s?\(|range\.constructor|\$_(?:get|post|server|request)|@class\b|#this\b|#context|#_memberaccess|ognl|\bnew\s[a-z.]{3,80}\(/i;
const ARITHMETIC = /^\s{0,8}[('"-]{0,3}\s{0,4}\d{1,12}['"]?\s{0,4}[*+/%^-]{1,2}\s{0,4}['"]?\d{1,12}['")]{0,3}\s{0,8}$/;
const LOOKUP =
  /\$\{\s{0,4}(?:jndi|(?:\$\{[^{}]{0,40}\}|[a-z:-]){1,40}?:(?:ldaps?|rmi|dns|iiop|nis|corba):|(?:lower|upper|env|sys|java|main|date|ctx|base64|bundle|script|url|dns):)/i;
const EMPTY_PROBE = /^(?:\$\{\{<%\[%'"\}\}%\\\.?|\{\{\s{0,4}['"]?[\w]{0,12}['"]?\s{0,4}\*\s{0,4}['"]?\d{1,8})/;

/** Expressions of a template language that compute, reach into the runtime or look up names. */
export function detectTemplate(text: string): Match | null {
  const jndi = text.includes('${') ? LOOKUP.exec(text) : null;
  if (jndi)
    return match(
      'template',
      'lookup',
      /jndi|ldap|rmi/i.test(jndi[0]) ? 0.95 : 0.8,
      jndi.index,
      jndi.index + jndi[0].length,
    );
  if (EMPTY_PROBE.test(text)) return match('template', 'probe', 0.85, 0, Math.min(text.length, 16));
  for (const [open, close] of DELIMITERS) {
    for (
      let at = text.indexOf(open), tries = 0;
      at !== -1 && tries < 32;
      at = text.indexOf(open, at + open.length), tries++
    ) {
      const from = at + open.length;
      const end = text.indexOf(close, from);
      const inside = text.slice(from, Math.min(end === -1 ? text.length : end, from + EXPRESSION_CHARS_MAX));
      const found = judge(inside.replace(/^[=-]/, ''), open);
      if (found && (end !== -1 || open === '#set('))
        return match('template', found[0], found[1], at, Math.min(end + close.length, at + 48));
    }
  }
  return null;
}

function judge(inside: string, open: string): readonly [string, number] | null {
  if (ARITHMETIC.test(inside)) return ['arithmetic', open === '@(' || open === '[[' || open === '{#' ? 0.7 : 0.9];
  if (REACH.test(inside)) return ['runtime-access', open === '[[' || open === '@(' ? 0.75 : 0.9];
  // `<%= `id` %>`, `#{`id`}`
  if ((open === '<%' || open === '#{') && /`[^`]{1,80}`/.test(inside)) return ['runtime-access', 0.9];
  return null;
}
