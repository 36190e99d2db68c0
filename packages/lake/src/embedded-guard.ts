/**
 * The door of the embedded engine. ClickHouse can read the disk, the network and other databases from SQL alone, and
 * chDB runs with no grants, so a statement is read here, token by token, before the engine sees it. Whatever this
 * reader and ClickHouse's might read differently (comments, heredocs, typographic quotes) is refused outright: Cordon
 * writes all its own SQL and needs none of it.
 */

export interface StatementRefusal {
  /** ClickHouse's own error code for it, so that its clients know the error. */
  readonly code: number;
  readonly type: string;
  readonly message: string;
}

export interface Statement {
  readonly kind: 'query' | 'insert';
  /** For an insert with data after `FORMAT name`: where the SQL ends. */
  readonly table?: string;
  readonly columns?: readonly string[];
  readonly format?: string;
}

interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'symbol';
  readonly text: string;
  readonly end: number;
}

const FIRST_WORDS = new Set([
  'select',
  'with',
  'insert',
  'create',
  'alter',
  'drop',
  'optimize',
  'show',
  'describe',
  'exists',
  'explain',
  'truncate',
  'rename',
  'exchange',
  'check',
  'kill',
  'delete',
]);

/** Table functions that touch nothing but memory. All others that the engine knows are refused. */
export const TABLE_FUNCTIONS_ALLOWED = new Set([
  'numbers',
  'numbers_mt',
  'zeros',
  'zeros_mt',
  'values',
  'null',
  'generateseries',
  'generate_series',
  // Also an ordinary function that fills a template.
  'format',
]);

/** Ordinary functions and clauses that reach a file, a named table or a disk. */
const CALLS_REFUSED = new Set([
  'file',
  'disk',
  'joinget',
  'joingetornull',
  'hascolumnintable',
  'source',
  'catboostevaluate',
]);

const WORDS_REFUSED = new Set([
  'outfile',
  'infile',
  'backup',
  'restore',
  'attach',
  'dictionary',
  'function',
  'freeze',
  'fetch',
]);

const ENGINE =
  /^(?:(?:Shared|Replicated)?(?:Replacing|Summing|Aggregating|Collapsing|VersionedCollapsing)?MergeTree|Memory|Null|Atomic|MaterializedView|View)$/;

const SQL_BYTES_MAX = 1_048_576;
const WORD = /[A-Za-z0-9_]/;
const SPACE = /[\t\n\v\f\r ]/;
/** A quoted name may hold only this: `default` is an overlay that takes a path for a table name. */
const QUOTED_NAME = /^[A-Za-z_][\w ]*$/;

const refuse = (message: string, code = 497, type = 'ACCESS_DENIED'): StatementRefusal => ({ code, type, message });

function readQuoted(sql: string, start: number): number {
  const quote = sql[start];
  for (let at = start + 1; at < sql.length; at++) {
    if (sql[at] === '\\') at++;
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1;
      at++;
    }
  }
  return -1;
}

function readWord(sql: string, start: number): number {
  let at = start;
  while (at < sql.length && WORD.test(sql[at] ?? '')) at++;
  return at;
}

function nextToken(sql: string, from: number): Token | StatementRefusal | undefined {
  let start = from;
  while (start < sql.length && SPACE.test(sql[start] ?? '')) start++;
  const char = sql[start];
  if (char === undefined) return undefined;
  if (char === "'" || char === '`' || char === '"') {
    const end = readQuoted(sql, start);
    if (end < 0) return refuse('A quoted text does not end.', 62, 'SYNTAX_ERROR');
    const text = sql.slice(start + 1, end - 1);
    return { kind: char === "'" ? 'string' : 'quoted', text, end };
  }
  if (/[A-Za-z_]/.test(char)) {
    const end = readWord(sql, start);
    return { kind: 'word', text: sql.slice(start, end), end };
  }
  if (/[0-9]/.test(char)) {
    const end = readWord(sql, start);
    return { kind: 'number', text: sql.slice(start, end), end };
  }
  const pair = sql.slice(start, start + 2);
  if (pair === '--' || pair === '/*' || char === '#') return refuse('Comments are not taken here.');
  if (char === '$') return refuse('Heredocs are not taken here.');
  if (char > '~') return refuse('Characters outside ASCII are taken in quoted texts only.');
  return { kind: 'symbol', text: char, end: start + 1 };
}

const isRefusal = (value: Token | StatementRefusal): value is StatementRefusal => 'message' in value;

function checkToken(
  token: Token,
  previous: Token | undefined,
  next: Token | undefined,
  tableFunctions: ReadonlySet<string>,
): StatementRefusal | undefined {
  if (token.kind === 'quoted' && !QUOTED_NAME.test(token.text))
    return refuse(`The name "${token.text}" is not taken here.`);
  if (token.kind !== 'word' && token.kind !== 'quoted') return undefined;
  const name = token.text.toLowerCase();
  if (next?.text === '(' && next.kind === 'symbol') {
    if (CALLS_REFUSED.has(name) || (tableFunctions.has(name) && !TABLE_FUNCTIONS_ALLOWED.has(name))) {
      return refuse(`${token.text}() reaches outside the lake and is refused.`);
    }
  }
  if (name === 'default' && next?.text === '.')
    return refuse('The database "default" reads files by name and is refused.');
  if (name === 'identifier' && previous?.text === ':') return refuse('Parameters can be values, not names.');
  if (token.kind === 'word' && WORDS_REFUSED.has(name) && previous?.text !== '.') {
    return refuse(`${token.text.toUpperCase()} is refused here.`);
  }
  if (name === 'engine' && (next?.text === '=' || next?.kind === 'word') && previous?.text !== '.') {
    return undefined; // checked by the caller, which sees the word after it
  }
  return undefined;
}

/** Splits and checks one statement. Returns what it is, or why it is refused. */
export function readStatement(
  sql: string,
  tableFunctions: ReadonlySet<string>,
): { readonly statement: Statement } | { readonly refusal: StatementRefusal } {
  const head = /^\s*INSERT\s+INTO\s/i.test(sql) ? readInsertHead(sql) : undefined;
  const text = head ? sql.slice(0, head.end) : sql;
  if (Buffer.byteLength(text) > SQL_BYTES_MAX) {
    return { refusal: refuse(`A statement may hold ${SQL_BYTES_MAX} bytes.`, 62, 'SYNTAX_ERROR') };
  }
  const tokens: Token[] = [];
  for (let at = 0; ;) {
    const token = nextToken(text, at);
    if (token === undefined) break;
    if (isRefusal(token)) return { refusal: token };
    tokens.push(token);
    at = token.end;
  }
  const refusal = checkTokens(tokens, tableFunctions);
  if (refusal) return { refusal };
  return { statement: head ? head.statement : { kind: 'query' } };
}

function checkTokens(tokens: readonly Token[], tableFunctions: ReadonlySet<string>): StatementRefusal | undefined {
  const first = tokens[0];
  if (!first) return refuse('The statement is empty.', 62, 'SYNTAX_ERROR');
  const opener = tokens.find((token) => token.text !== '(');
  if (opener?.kind !== 'word' || !FIRST_WORDS.has(opener.text.toLowerCase())) {
    return refuse(`A statement may not start with "${first.text}".`);
  }
  for (const [index, token] of tokens.entries()) {
    const previous = tokens[index - 1];
    const next = tokens[index + 1];
    if (token.kind === 'symbol' && token.text === ';' && next) {
      return refuse('Multi-statements are not allowed.', 62, 'SYNTAX_ERROR');
    }
    const refusal = checkToken(token, previous, next, tableFunctions) ?? checkEngine(tokens, index);
    if (refusal) return refusal;
  }
  return undefined;
}

function checkEngine(tokens: readonly Token[], index: number): StatementRefusal | undefined {
  const token = tokens[index];
  if (token?.text.toLowerCase() !== 'engine' || token.kind !== 'word') return undefined;
  const definesTable = ['create', 'alter'].includes(tokens[0]?.text.toLowerCase() ?? '');
  if (!definesTable) return undefined;
  const next = tokens[index + 1];
  const engine = next?.text === '=' ? tokens[index + 2] : next;
  if (engine?.kind !== 'word' || !ENGINE.test(engine.text)) {
    return refuse(`The table engine ${engine?.text ?? '(none)'} is refused here.`);
  }
  return undefined;
}

const INSERT_HEAD =
  /^\s*INSERT\s+INTO\s+((?:[A-Za-z_]\w*|`[A-Za-z_]\w*`)(?:\.(?:[A-Za-z_]\w*|`[A-Za-z_]\w*`))?)\s*(?:\(([^()']*)\)\s*)?FORMAT\s+([A-Za-z]+)[ \t\r]*(?:\n|$)/i;

/** `INSERT INTO t (a, b) FORMAT name` with its data behind it: the shape that clients send for bulk data. */
function readInsertHead(sql: string): { statement: Statement; end: number } | undefined {
  const match = INSERT_HEAD.exec(sql);
  if (!match) return undefined;
  const [whole, table = '', columns, format = ''] = match;
  return {
    end: whole.length,
    statement: {
      kind: 'insert',
      table: table.replaceAll('`', ''),
      ...(columns !== undefined && {
        columns: columns.split(',').map((column) => column.trim().replaceAll('`', '')),
      }),
      format,
    },
  };
}
