import { Session } from 'chdb';
import { z } from 'zod';

/**
 * Test process: answers which of the rows given satisfy a condition, on a real ClickHouse engine. chDB needs a
 * process of its own, because threads that load it crash.
 */
const message = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('rows'),
    rows: z.array(z.object({ id: z.string(), raw: z.string(), ocsf: z.string(), action: z.string() })),
  }),
  z.object({
    kind: z.literal('where'),
    where: z.string(),
    params: z.record(z.string(), z.union([z.string(), z.number()])),
  }),
]);

const session = new Session();
session.query('CREATE TABLE events (id String, raw String, ocsf String, action String) ENGINE = Memory');

async function answer(input: unknown): Promise<unknown> {
  const request = message.parse(input);
  if (request.kind === 'rows') {
    session.query('TRUNCATE TABLE events');
    await session.insert({ table: 'events', values: request.rows });
    return [];
  }
  const result = session.queryBind(`SELECT id FROM events WHERE ${request.where} ORDER BY id`, request.params, 'TSV');
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
