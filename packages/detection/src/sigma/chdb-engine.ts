import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { type CompiledSql } from './sql.ts';

const reply = z.object({ ids: z.array(z.string()).optional(), error: z.string().optional() });

/** For tests: a table of events on a real ClickHouse engine, in a process of its own. */
export class ChdbEngine {
  readonly #child: ChildProcess;

  constructor() {
    this.#child = fork(new URL('./chdb-child.ts', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  }

  /** Replaces the table; `columns` is DDL. */
  async load(columns: string, rows: readonly Readonly<Record<string, string | number>>[]): Promise<void> {
    await this.#ask({ kind: 'rows', columns, rows });
  }

  /** Ids of the rows that satisfy the condition, sorted. */
  async idsWhere({ where, params }: Pick<CompiledSql, 'where' | 'params'>, idColumn = 'id'): Promise<string[]> {
    return this.#ask({ kind: 'where', where, params, idColumn });
  }

  close(): void {
    this.#child.disconnect();
  }

  async #ask(message: object): Promise<string[]> {
    const answered = once(this.#child, 'message');
    this.#child.send(message);
    const { ids, error } = reply.parse((await answered)[0]);
    if (error !== undefined) throw new Error(error);
    return ids ?? [];
  }
}
