import type { QueryParams } from './lake-connection.ts';

type ParamType = 'String' | 'Float64' | 'Int64' | 'Int32' | 'UInt64' | 'IPv6' | 'Array(String)' | 'Array(Float64)';

/** Collects values; hands out the placeholders by which the server binds them. No value is ever part of the SQL. */
export class ParamBag {
  readonly #values: Record<string, string | number | readonly string[] | readonly number[]> = {};
  #count = 0;

  add(type: ParamType, value: string | number | readonly string[] | readonly number[]): string {
    const name = `p${++this.#count}`;
    this.#values[name] = value;
    return `{${name}:${type}}`;
  }

  get values(): QueryParams {
    return this.#values;
  }
}

/** A moment as the time columns hold it, bound as milliseconds. */
export function momentOf(params: ParamBag, ms: number): string {
  return `fromUnixTimestamp64Milli(${params.add('Int64', Math.trunc(ms))}, 'UTC')`;
}
