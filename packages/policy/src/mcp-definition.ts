import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** MCP 2025-11-25, server/tools: names are letters, digits and `_ - . /`. Other names could pass for other operations. */
export const MCP_NAME = /^[A-Za-z0-9_./-]{1,128}$/;
/** RFC 3986: a URI is printable ASCII; a template (RFC 6570) adds braces. */
const MCP_URI = /^[!-~]{1,2048}$/;
const NAMED_BY_URI: ReadonlySet<string> = new Set(['resource', 'resource-template', 'contents']);

/** Whether an item of that kind can have the name. */
export function isMcpName(kind: string, name: string): boolean {
  return (NAMED_BY_URI.has(kind) ? MCP_URI : MCP_NAME).test(name);
}

export const DEFINITION_BYTES_MAX = 64 * 1024;
const TEXTS_MAX = 2000;
const EXCERPT_CHARS_MAX = 80;

/** Something in a definition that talks to the model rather than describing the tool. */
export interface DefinitionFlag {
  readonly rule: string;
  /** Where: `description`, `inputSchema.properties.path.description`. */
  readonly at: string;
  /** The piece that was found, made visible. */
  readonly excerpt: string;
}

/** The definition without what clients don't show to a model and servers change freely: metadata, a resource's size. */
export function pinnedDefinition(definition: Record<string, unknown>): Record<string, unknown> {
  const { _meta: _, ...pinned } = definition;
  if (typeof pinned['uri'] !== 'string') return pinned;
  const { size: _size, annotations, ...resource } = pinned;
  if (annotations === undefined) return resource;
  if (typeof annotations !== 'object' || annotations === null) return { ...resource, annotations };
  const kept: Record<string, unknown> = { ...annotations };
  delete kept['lastModified'];
  return { ...resource, annotations: kept };
}

/** What is pinned of a resource's contents: their hash and length, and what in them talks to the model. Not the text. */
export function contentsDefinition(uri: string, contents: readonly unknown[]): Record<string, unknown> {
  const plain = contents.map((one) => {
    if (typeof one !== 'object' || one === null) return one;
    const content: Record<string, unknown> = { ...one };
    delete content['_meta'];
    return content;
  });
  const text = canonicalJson(plain);
  return {
    uri,
    sha256: createHash('sha256').update(text).digest('hex'),
    bytes: Buffer.byteLength(text),
    signs: [...new Set(findHiddenInstructions({ contents: plain }).map(({ rule }) => rule))].sort(),
  };
}

/** The hash by which a definition is pinned: any change of name, text, schema or annotation changes it. */
export function definitionHash(definition: Record<string, unknown>): string {
  return createHash('sha256')
    .update(canonicalJson(pinnedDefinition(definition)))
    .digest('hex');
}

interface TextRule {
  readonly rule: string;
  readonly pattern: RegExp;
}

// Format characters, tags, variation selectors and bidirectional controls: read by a model, not seen by a reviewer.
// U+FE0F only makes the character before it colourful.
const INVISIBLE = /(?!\ufe0f)[\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

/** Every pattern is linear: no nested repetition, bounded gaps. */
const RULES: readonly TextRule[] = [
  { rule: 'invisible-characters', pattern: INVISIBLE },
  {
    rule: 'overrides-instructions',
    pattern:
      /\b(?:ignore|disregard|forget|override|bypass)\b[^.\n]{0,40}\b(?:previous|prior|above|earlier|all|any|other|system|safety)\b[^.\n]{0,40}\b(?:instruction|prompt|rule|guideline|message|direction|context)/i,
  },
  {
    rule: 'hides-from-user',
    pattern:
      /\b(?:do not|don't|don’t|never|without)\b[^.\n]{0,30}\b(?:tell|inform|mention|notify|telling|informing|mentioning|notifying|show|reveal|asking|alerting)\b[^.\n]{0,30}\b(?:user|human|person|anyone|them)\b/i,
  },
  {
    rule: 'prompt-markup',
    pattern:
      /<\/?\s*(?:important|system|instructions?|secret|hidden|admin|assistant|prompt|critical)\s*>|\[(?:INST|SYSTEM|\/INST)\]|<\|(?:im_start|im_end|system|endoftext)\|>|^#{1,4} *(?:system|instructions?) *:?$/im,
  },
  {
    rule: 'asks-for-secrets',
    pattern:
      /(?:~\/\.ssh|\bid_rsa\b|\.aws\/credentials|\/etc\/passwd|\.cursor\/mcp\.json|\bmcp\.json\b|\.env\b(?! var)|\b(?:read|include|pass|send|attach|provide|append)\b[^.\n]{0,40}\b(?:api[ _-]?keys?|passwords?|private keys?|credentials|access tokens?|ssh keys?|conversation history|system prompt)\b)/i,
  },
  {
    rule: 'directs-other-tools',
    pattern:
      /\b(?:before|instead of|after|whenever|prior to)\b[^.\n]{0,30}\b(?:using|calling|invoking|running|you (?:use|call|run))\b[^.\n]{0,30}\b(?:any|other|another|all|every|the)\b[^.\n]{0,20}\btools?\b|\b(?:always|must) (?:first )?(?:call|use|invoke|run) this tool\b/i,
  },
  { rule: 'encoded-text', pattern: /[A-Za-z0-9+/]{120,}={0,2}/ },
];

/** Every text in a definition with the path to it. */
function* textsOf(value: unknown, at: string, depth = 0): Generator<readonly [string, string]> {
  if (depth > 32) return;
  if (typeof value === 'string') yield [at, value];
  else if (Array.isArray(value))
    for (const [n, item] of value.entries()) yield* textsOf(item, `${at}[${n}]`, depth + 1);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      const inside = at === '' ? key : `${at}.${key}`;
      yield [`${inside} (name)`, key];
      yield* textsOf(item, inside, depth + 1);
    }
  }
}

/** A text with what can't be seen written as code points. */
export function makeVisible(text: string): string {
  const global = new RegExp(INVISIBLE.source, 'gu');
  return text.replace(global, (one) => `⟨U+${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`); // one matched character
}

function excerptOf(text: string, index: number): string {
  return makeVisible(text.slice(Math.max(0, index - 10), index + EXCERPT_CHARS_MAX)).slice(0, EXCERPT_CHARS_MAX * 2);
}

/**
 * What in a definition a reviewer should look at twice. Heuristics: a clean list is no proof, which is why a person
 * accepts every definition.
 *
 * @param others names of this estate's other tools: a description that names one of them may be shadowing it.
 */
export function findHiddenInstructions(
  definition: Record<string, unknown>,
  others: Iterable<string> = [],
): DefinitionFlag[] {
  const flags: DefinitionFlag[] = [];
  const own = typeof definition['name'] === 'string' ? definition['name'] : '';
  const shadowed = [...others].filter((name) => name !== own && name.length >= 5 && /[_\-./]|[a-z][A-Z]/.test(name));
  let texts = 0;
  // Contents are kept as a hash; what was found in them came with it.
  const { signs } = definition;
  for (const rule of Array.isArray(signs) && typeof definition['sha256'] === 'string' ? signs : []) {
    if (RULES.some((known) => known.rule === rule)) flags.push({ rule: String(rule), at: 'contents', excerpt: '' });
  }
  for (const [at, text] of textsOf(pinnedDefinition(definition), '')) {
    if (++texts > TEXTS_MAX) {
      flags.push({ rule: 'too-many-texts', at, excerpt: `more than ${TEXTS_MAX} texts` });
      break;
    }
    for (const { rule, pattern } of RULES) {
      const found = pattern.exec(text);
      if (found) flags.push({ rule, at, excerpt: excerptOf(text, found.index) });
    }
    for (const name of shadowed) {
      const index = text.indexOf(name);
      if (index !== -1) flags.push({ rule: 'names-another-tool', at, excerpt: excerptOf(text, index) });
    }
  }
  return flags.slice(0, 50);
}
