/**
 * What a field is for, hence what an attack in it would look like.
 * `free`: text that people write, source code and markup included. `plain`: nothing is known. `term`: an identifier,
 * a name, a choice. `url`, `path`: what they say. `query`: an expression of a query language is expected.
 * `encoded`: Base64 or a token. `inert`: its schema leaves no room (a number, UUID, date), and was enforced.
 */
export type FieldKind = 'free' | 'plain' | 'term' | 'url' | 'path' | 'query' | 'encoded' | 'inert';

const FREE = new Set(
  `body description comment comments text message msg content contents html markdown md summary notes note title
   subject readme code source snippet patch diff script template document bio about details detail reason abstract
   caption prompt completion instructions instruction answer question reply review feedback transcript paragraph
   excerpt headline footer signature blocks mrkdwn raw plain_text plaintext rich_text richtext html_body text_body
   htmlbody textbody plain signed_content commit_message release_notes announcement story value_text stacktrace
   stack_trace log logs output stdout stderr error_message exception arguments payload_text input_text changelog
   policy_text terms css js javascript sql_text alt_text alttext fallback pretext preview preheader label_text
   long_description short_description displaytext display_text purpose topic memo remarks statement_descriptor`
    .trim()
    .split(/\s+/),
);
const QUERY = new Set(
  `q query jql cql soql sosl sql search filter where expression expr condition criteria kql lql graphql nrql promql
   logql odata querystring query_string searchquery search_query filter_expression formula filterbyformula
   $filter $search $orderby $apply $expand spec selector`
    .trim()
    .split(/\s+/),
);
const URLS = new Set(
  `url uri href link callback webhook endpoint redirect host hostname domain server origin target proxy site website
   src image_url avatar feed dest destination next return returnurl continue upstream address_url location`
    .trim()
    .split(/\s+/),
);
const PATHS = new Set(
  `path file filename file_name filepath file_path dir directory folder template_path include page document_path
   key object_key prefix location_path root attachment download doc`
    .trim()
    .split(/\s+/),
);
const ENCODED = new Set(
  `token access_token refresh_token id_token client_assertion assertion jwt signature sig hash digest checksum sha sha256
   md5 cursor page_token pagetoken next_cursor after before continuation etag nonce state code_challenge code_verifier
   password secret client_secret api_key apikey public_key private_key certificate cert pem thumbprint fingerprint
   base64 data bytes blob image thumbnail encryption ciphertext iv salt`
    .trim()
    .split(/\s+/),
);
const TERMS = new Set(
  `id name username user login email sort order order_by orderby sort_by sortby direction status type category lang
   language locale country currency format fields field column table group role per_page page_size limit offset state_filter
   first_name last_name firstname lastname slug tag ref branch version uid cn view action cmd command exec
   ip ip_address phone zip postcode city account product item`
    .trim()
    .split(/\s+/),
);

/** `htmlBody`, `html-body`, `html_body[]` as `html_body`. */
function normalise(name: string): string {
  return name
    .replace(/\[\]$/, '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();
}

const KNOWN_MAX = 5_000;
const known = new Map<string, FieldKind>();

/** By the name alone, for fields that no description knows. */
export function kindByName(name: string): FieldKind {
  let kind = known.get(name);
  if (kind === undefined) {
    kind = judgeName(name);
    if (known.size >= KNOWN_MAX) known.clear();
    if (name.length <= 100) known.set(name, kind);
  }
  return kind;
}

function judgeName(name: string): FieldKind {
  const full = normalise(name);
  const whole = lookUp(full);
  if (whole) return whole;
  const last = full.slice(full.lastIndexOf('_') + 1);
  if (last === full) return 'plain';
  if (
    last === 'url' ||
    last === 'uri' ||
    last === 'href' ||
    last === 'host' ||
    last === 'endpoint' ||
    last === 'webhook'
  )
    return 'url';
  if (last === 'path' || last === 'file' || last === 'filename') return 'path';
  if (
    last === 'html' ||
    last === 'markdown' ||
    last === 'text' ||
    last === 'description' ||
    last === 'message' ||
    last === 'body' ||
    last === 'comment' ||
    last === 'notes' ||
    last === 'content' ||
    last === 'summary'
  )
    return 'free';
  if (last === 'id' || last === 'name' || last === 'type' || last === 'status') return 'term';
  if (
    last === 'token' ||
    last === 'hash' ||
    last === 'signature' ||
    last === 'secret' ||
    last === 'cursor' ||
    last === 'sha'
  )
    return 'encoded';
  return last === 'query' || last === 'filter' ? 'query' : 'plain';
}

function lookUp(name: string): FieldKind | null {
  if (FREE.has(name)) return 'free';
  if (QUERY.has(name)) return 'query';
  if (URLS.has(name)) return 'url';
  if (PATHS.has(name)) return 'path';
  if (ENCODED.has(name)) return 'encoded';
  return TERMS.has(name) ? 'term' : null;
}

/** What an OpenAPI schema says of a value, as far as it matters here. */
export interface SchemaHint {
  readonly type?: unknown;
  readonly format?: unknown;
  readonly enum?: unknown;
  readonly const?: unknown;
  readonly pattern?: unknown;
  readonly maxLength?: unknown;
  readonly contentMediaType?: unknown;
  readonly contentEncoding?: unknown;
}

const INERT_TYPES = new Set(['integer', 'number', 'boolean', 'null']);
const INERT_FORMATS = new Set(['uuid', 'date', 'date-time', 'time', 'duration', 'ipv4', 'ipv6']);
const TERM_CHARS_MAX = 50;

/**
 * By schema and name together.
 * @param enforced the value is known to fit the schema; else a schema can't excuse a value from being looked at
 */
export function kindBySchema(schema: SchemaHint, name: string, enforced: boolean): FieldKind {
  const { type, format } = schema;
  const rigid =
    (typeof type === 'string' && INERT_TYPES.has(type)) ||
    Array.isArray(schema.enum) ||
    schema.const !== undefined ||
    (typeof format === 'string' && INERT_FORMATS.has(format));
  if (rigid) return enforced ? 'inert' : 'term';
  if (format === 'uri' || format === 'url' || format === 'uri-reference' || format === 'hostname') return 'url';
  if (format === 'byte' || format === 'binary' || schema.contentEncoding === 'base64') return 'encoded';
  if (format === 'markdown' || format === 'html' || typeof schema.contentMediaType === 'string') return 'free';
  if (format === 'email') return 'term';
  const named = kindByName(name);
  const narrow =
    typeof schema.pattern === 'string' || (typeof schema.maxLength === 'number' && schema.maxLength <= TERM_CHARS_MAX);
  // A short or patterned field is nobody's essay, whatever it is called.
  if (narrow && (named === 'free' || named === 'plain')) return 'term';
  return named;
}
