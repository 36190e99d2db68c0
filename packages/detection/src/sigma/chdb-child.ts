import { Session } from 'chdb';
import { z } from 'zod';

/**
 * Test process: answers which of the rows given satisfy a condition, on a real ClickHouse engine. chDB needs a
 * process of its own, because threads that load it crash.
 */
const message = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('rows'),
    /** Columns of the table with their types, and rows that fill them. */
    columns: z.string(),
    rows: z.array(z.record(z.string(), z.union([z.string(), z.number()]))),
  }),
  z.object({
    kind: z.literal('where'),
    where: z.string(),
    idColumn: z.string(),
    params: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
]);

const session = new Session();

async function answer(input: unknown): Promise<unknown> {
  const request = message.parse(input);
  if (request.kind === 'rows') {
    session.query('DROP TABLE IF EXISTS events');
    session.query(`CREATE TABLE events (${request.columns}) ENGINE = Memory`);
    await session.insert({ table: 'events', values: request.rows });
    return [];
  }
  const result = session.queryBind(
    `SELECT ${request.idColumn} FROM events WHERE ${request.where} ORDER BY 1`,
    request.params,
    'TSV',
  );
  return result.split('\n').filter((id) => id !== '');
}

process.on('message', (input) => {
  answer(input).then(
    (ids) => process.send?.({ ids }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => {
  session.close();
  process.exit(0);
});
