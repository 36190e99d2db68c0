import { ANY_KEY, type FieldPath } from '../field-path.ts';
import { ANY_CATEGORY, type Expression, type Logsource, type Matcher, type Rule, type TextOperator } from './ast.ts';
import { inlineFlags, NUMBER_SHAPE, TIME_SHAPE, TIME_SLICES } from './value-test.ts';
import { globRegex } from './wildcard.ts';

/** A typed column that holds a field. An empty text or a NULL reads as absent. */
export interface ColumnRef {
  readonly column: string;
  readonly kind: 'text' | 'texts' | 'number';
}

/** Where the lake keeps what rules speak of. Column names are identifiers of ours, never a user's text. */
export interface SqlMapping {
  readonly table: string;
  /** Columns with the vendor's event and the normalised event as JSON text. */
  readonly rawColumn: string;
  readonly ocsfColumn: string;
  readonly productColumn: string;
  readonly serviceColumn: string;
  /** The OCSF class by name, lower case with underscores; absent: read from `class_name` in the JSON. */
  readonly className?: string;
  readonly timeColumn: string;
  readonly idColumn: string;
  column(field: FieldPath, logsource: Logsource): ColumnRef | undefined;
}

export type SqlParameter = string | number;

export interface CompiledSql {
  /** The condition alone. */
  readonly where: string;
  /** `SELECT id, time ... WHERE ... ORDER BY time LIMIT`, with `from_ms`, `to_ms` and `limit` to be given. */
  readonly select: string;
  /** Parameters of the condition, `p0` and on. */
  readonly params: Readonly<Record<string, SqlParameter>>;
}

/** Compiles a rule to parameterised ClickHouse SQL. No text of the rule ever becomes SQL. */
export function compileToSql(rule: Rule, mapping: SqlMapping): CompiledSql {
  const emitter = new SqlEmitter(mapping, rule.logsource);
  const where = [...emitter.logsource(), emitter.expression(rule.expression, undefined)].join(' AND ');
  const time = mapping.timeColumn;
  return {
    where,
    select:
      `SELECT ${mapping.idColumn} AS id, ${time} AS time FROM ${mapping.table} ` +
      `WHERE ${time} >= fromUnixTimestamp64Milli({from_ms:Int64}) AND ${time} < fromUnixTimestamp64Milli({to_ms:Int64}) ` +
      `AND ${where} ORDER BY ${time}, ${mapping.idColumn} LIMIT {limit:UInt32}`,
    params: emitter.params,
  };
}

class SqlEmitter {
  readonly params: Record<string, SqlParameter> = {};
  readonly #mapping: SqlMapping;
  readonly #source: Logsource;
  #variables = 0;

  constructor(mapping: SqlMapping, source: Logsource) {
    this.#mapping = mapping;
    this.#source = source;
  }

  logsource(): string[] {
    const { product, service, category } = this.#source;
    const className =
      this.#mapping.className ??
      `replaceAll(lower(JSONExtractString(${this.#mapping.ocsfColumn}, 'class_name')), ' ', '_')`;
    return [
      ...(product === undefined ? [] : [`${this.#mapping.productColumn} = ${this.#text(product)}`]),
      ...(service === undefined ? [] : [`${this.#mapping.serviceColumn} = ${this.#text(service)}`]),
      ...(category === undefined || category === ANY_CATEGORY ? [] : [`${className} = ${this.#text(category)}`]),
    ];
  }

  /** `element` is the lambda variable that holds the current element's JSON, inside `|any`. */
  expression(expression: Expression, element: string | undefined): string {
    switch (expression.kind) {
      case 'constant':
        return expression.value ? '1' : '0';
      case 'and':
        return `(${expression.of.map((part) => this.expression(part, element)).join(' AND ')})`;
      case 'or':
        return `(${expression.of.map((part) => this.expression(part, element)).join(' OR ')})`;
      case 'not':
        return `(NOT ${this.expression(expression.of, element)})`;
      case 'match':
        return this.#match(expression.field, expression.matcher, element);
      case 'exists': {
        const v = this.#variable();
        return `arrayExists(${v} -> ${v} != '', ${this.#fragments(expression.field, element)})`;
      }
      case 'absent': {
        const column = this.#column(expression.field, element);
        return column ? `(NOT ${presence(column)})` : `empty(${this.#leaves(expression.field, element)})`;
      }
      case 'keyword':
        return this.#test(expression.matcher, this.#mapping.rawColumn, element);
      default: {
        const e = this.#variable();
        const inner = this.expression(expression.of, e);
        return `arrayExists(${e} -> NOT startsWith(${e}, '[') AND ${inner}, ${this.#leaves(expression.field, element)})`;
      }
    }
  }

  #match(field: FieldPath, matcher: Matcher, element: string | undefined): string {
    const column = this.#column(field, element);
    if (column && column.kind !== 'texts') {
      const value = column.kind === 'text' ? column.column : `toString(${column.column})`;
      return `(${presence(column)} AND ${this.#test(matcher, `assumeNotNull(${value})`, element)})`;
    }
    const x = this.#variable();
    return `arrayExists(${x} -> ${this.#test(matcher, x, element)}, ${this.#texts(field, element)})`;
  }

  #test(matcher: Matcher, x: string, element: string | undefined): string {
    switch (matcher.kind) {
      case 'text':
        return compareText(matcher.op, fold(x, matcher.cased), this.#text(matcher.text));
      case 'glob':
        return `match(${fold(x, matcher.cased)}, ${this.#text(globRegex(matcher.parts))})`;
      case 'regex':
        return `match(${x}, ${this.#text(inlineFlags(matcher.source, matcher.flags))})`;
      case 'number':
        return `ifNull(${this.#numeric(x)} = ${this.#number(matcher.value)}, 0)`;
      case 'compare':
        return `ifNull(${this.#numeric(x)} ${OPERATORS[matcher.op]} ${this.#number(matcher.value)}, 0)`;
      case 'cidr':
        return this.#cidr(x, matcher.network);
      case 'field': {
        const y = this.#variable();
        const same = compareText(matcher.op, fold(x, matcher.cased), fold(y, matcher.cased));
        return `arrayExists(${y} -> ${same}, ${this.#texts(matcher.other, element)})`;
      }
      default:
        return `ifNull(${this.#timePart(x, matcher.unit)} ${OPERATORS[matcher.op]} ${this.#number(matcher.value)}, 0)`;
    }
  }

  #numeric(x: string): string {
    return `toFloat64OrNull(if(match(${x}, ${this.#text(NUMBER_SHAPE)}), ${x}, ''))`;
  }

  #timePart(x: string, unit: keyof typeof TIME_SLICES | 'week'): string {
    const checked = `if(match(${x}, ${this.#text(TIME_SHAPE)}), ${x}, '')`;
    if (unit === 'week') return `toISOWeek(toDate32OrNull(substring(${checked}, 1, 10)))`;
    const [start, length] = TIME_SLICES[unit];
    return `toFloat64OrNull(substring(${checked}, ${start + 1}, ${length}))`;
  }

  #cidr(x: string, network: string): string {
    const four = !network.includes(':');
    const valid = four ? `isIPv4String(${x})` : `isIPv6String(${x})`;
    const filler = four ? '0.0.0.0' : '::';
    return `(${valid} AND isIPAddressInRange(if(${valid}, ${x}, '${filler}'), ${this.#text(network)}))`;
  }

  #column(field: FieldPath, element: string | undefined): ColumnRef | undefined {
    return element === undefined ? this.#mapping.column(field, this.#source) : undefined;
  }

  /** JSON fragments at the end of the path, lists not yet opened; '' where there is nothing. */
  #fragments(field: FieldPath, element: string | undefined): string {
    const base = field.source === 'ocsf' ? this.#mapping.ocsfColumn : this.#mapping.rawColumn;
    let fragments = `[${element ?? base}]`;
    for (const [depth, key] of field.keys.entries()) {
      const v = this.#variable();
      const objects = depth === 0 ? fragments : this.#opened(fragments);
      fragments =
        key === ANY_KEY
          ? `arrayFlatten(arrayMap(${v} -> arrayMap(kv -> kv.2, JSONExtractKeysAndValuesRaw(${v})), ${objects}))`
          : `arrayMap(${v} -> JSONExtractRaw(${v}, ${this.#text(key)}), ${objects})`;
    }
    return fragments;
  }

  #opened(fragments: string): string {
    const v = this.#variable();
    return `arrayFlatten(arrayMap(${v} -> if(startsWith(${v}, '['), JSONExtractArrayRaw(${v}), [${v}]), ${fragments}))`;
  }

  /** JSON fragments of the values, without nulls. */
  #leaves(field: FieldPath, element: string | undefined): string {
    const v = this.#variable();
    return `arrayFilter(${v} -> ${v} != '' AND ${v} != 'null', ${this.#opened(this.#fragments(field, element))})`;
  }

  /** The values as texts. */
  #texts(field: FieldPath, element: string | undefined): string {
    const column = this.#column(field, element);
    if (column?.kind === 'texts') return column.column;
    const v = this.#variable();
    if (column) {
      const value = column.kind === 'text' ? column.column : `toString(${column.column})`;
      return `if(${presence(column)}, [assumeNotNull(${value})], [])`;
    }
    return `arrayMap(${v} -> if(startsWith(${v}, '"'), JSONExtractString(${v}), ${v}), ${this.#leaves(field, element)})`;
  }

  #variable(): string {
    return `v${this.#variables++}`;
  }

  #parameter(value: SqlParameter, type: string): string {
    const name = `p${Object.keys(this.params).length}`;
    this.params[name] = value;
    return `{${name}:${type}}`;
  }

  #text(value: string): string {
    return this.#parameter(value, 'String');
  }

  #number(value: number): string {
    return this.#parameter(value, 'Float64');
  }
}

const OPERATORS = { lt: '<', lte: '<=', gt: '>', gte: '>=', eq: '=' } as const;

const fold = (x: string, cased: boolean): string => (cased ? x : `lowerUTF8(${x})`);

function presence(column: ColumnRef): string {
  if (column.kind === 'texts') return `notEmpty(${column.column})`;
  if (column.kind === 'number') return `(${column.column} IS NOT NULL)`;
  return `(ifNull(${column.column}, '') != '')`;
}

function compareText(op: TextOperator, x: string, against: string): string {
  switch (op) {
    case 'equals':
      return `${x} = ${against}`;
    case 'startswith':
      return `startsWith(${x}, ${against})`;
    case 'endswith':
      return `endsWith(${x}, ${against})`;
    default:
      return `position(${x}, ${against}) > 0`;
  }
}
