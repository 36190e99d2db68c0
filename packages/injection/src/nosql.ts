import { type Match, match } from './finding.ts';

const OPERATORS = new Set(
  `$where $ne $eq $gt $gte $lt $lte $in $nin $regex $exists $or $and $nor $not $expr $elemmatch $function $accumulator
   $jsonschema $mod $lookup $out $merge $eval $all $comment $options $near $nearsphere $geowithin $text $unionwith`
    .trim()
    .split(/\s+/),
);
/** Run script in the database. */
const SCRIPT = new Set(['$where', '$function', '$accumulator', '$eval', '$expr']);
const JS =
  /(?:^|['"\s;|&}])(?:this\.[a-z_]\w{0,60}\s{0,4}(?:[=!<>.)]|$)|db\.[a-z_]\w{0,60}\.(?:find|insert|update|drop|remove|delete|aggregate|count)|db\.(?:dropdatabase|getcollectionnames|version|shutdownserver|adminCommand)|return\s{1,4}(?:true|false|this|!|1|\()|sleep\s?\(\s?\d|tojson(?:online)?\s?\(|objectid\.prototype|while\s?\(\s?(?:true|1|!)|emit\s?\(|new\s{1,4}date\s?\(\s?\)\s?;|date\.now\s?\(\s?\))/i;
const QUOTED_COMPARE =
  /^[^'"]{0,80}['"]\s{0,4}\)?\s{0,4}(?:\|\||&&)\s{0,4}\(?\s{0,4}(?:['"][^'"]{0,40}['"]?\s{0,4}[=!]={1,2}|\d{1,9}\s{0,4}[=!<>]=?=?\s{0,4}\d|!?(?:true|this|function)|['"])/i;
const EMBEDDED = /["']?(\$(?:where|ne|gte?|lte?|n?in|regex|exists|n?or|expr|function))["']?\s{0,4}(?::|%3a|\]?=)/i;

/** An operator of a document database as the name of a member: `{ "$ne": null }`, `password[$ne]=`. */
export function detectOperatorKey(key: string): Match | null {
  const bracketed = key.includes('[$') ? key.slice(key.lastIndexOf('[$') + 1).replace(/\].*$/, '') : null;
  const dotted = /[.:](\$[a-z]{2,20})$/i.exec(key)?.[1];
  const name = (bracketed ?? dotted ?? key).toLowerCase();
  if (!name.startsWith('$') || !OPERATORS.has(name)) return null;
  return match('nosql', 'operator-member', SCRIPT.has(name) || bracketed !== null ? 0.95 : 0.85, 0, key.length);
}

/** Script of a document database, or an operator, inside a value. */
export function detectNosql(text: string): Match | null {
  const embedded = text.includes('$') ? EMBEDDED.exec(text) : null;
  if (embedded) return match('nosql', 'operator-text', 0.85, embedded.index, embedded.index + embedded[0].length);
  const compare = QUOTED_COMPARE.exec(text);
  if (compare) return match('nosql', 'script-condition', 0.85, 0, Math.min(compare[0].length, 48));
  const script = JS.exec(text);
  if (!script) return null;
  // A break-out comes before it, or it is a statement of its own.
  const placed = /['";{}|&]/.test(text.slice(0, script.index + 1)) || /^(?:db\.|return |function)/.test(text);
  return placed && /[;{}'"|&(]/.test(text)
    ? match('nosql', 'script', 0.8, script.index, script.index + Math.min(40, script[0].length))
    : null;
}
