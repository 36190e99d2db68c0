import { DatabaseSync } from 'node:sqlite';
import { startUpstream, type UpstreamStub } from './testing.ts';

/**
 * An API as nobody should write one: what comes in is pasted into SQL. It answers as real ones do, with rows, with
 * nothing, or with the database's own error, so that every technique of sqlmap has something to hold on to.
 */
export async function startVulnerableApi(): Promise<UpstreamStub> {
  const db = new DatabaseSync(':memory:');
  db.exec(`create table items (id integer primary key, name text, price integer);
    create table secrets (id integer primary key, card text);
    insert into items values (1, 'lamp', 10), (2, 'desk', 80), (3, 'chair', 40);
    insert into secrets values (1, 'never shown')`);
  const upstream = await startUpstream((request, body, response) => {
    const url = new URL(request.url ?? '/', 'http://api.test');
    const value = inputOf(url, request.headers['content-type'] ?? '', body.toString('utf8'));
    const isText = url.pathname.endsWith('/named');
    const sql = `select id, name, price from items where ${isText ? `name = '${value}'` : `id = ${value}`}`;
    try {
      const rows = db.prepare(sql).all();
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ items: rows }));
    } catch (error) {
      const text = error instanceof Error ? error.message : 'failed';
      response.writeHead(500, { 'content-type': 'text/plain' }).end(`SQLite error: ${text}`);
    }
  });
  return {
    ...upstream,
    close: async () => {
      await upstream.close();
      db.close();
    },
  };
}

function inputOf(url: URL, type: string, body: string): string {
  if (url.searchParams.has('id')) return url.searchParams.get('id') ?? '';
  if (type.startsWith('application/json')) {
    try {
      return String((JSON.parse(body) as { id?: unknown }).id); // whatever it is, it goes into the query
    } catch {
      return '';
    }
  }
  const part = /name="id"\r\n\r\n([\s\S]*?)\r\n--/.exec(body)?.[1];
  return part ?? new URLSearchParams(body).get('id') ?? '';
}
