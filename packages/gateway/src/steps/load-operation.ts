import { canonicalPath, type Operations as OperationTable, type PathRefusal } from '@cordon/openapi';
import { unknownOperation } from '@cordon/policy';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { isGraphqlCall, loadGraphqlOperation } from '../graphql/load-graphql-operation.ts';

function refusedPath(reason: PathRefusal): Refusal {
  return new Refusal(
    'gateway.path_ambiguous',
    `The path could be read in more than one way (${reason}). Send it in its plain form, without dot segments, empty segments or double escapes.`,
    { detail: { reason } },
  );
}

function setPath(exchange: Exchange, path: string, query: string): void {
  exchange.path = path + query;
}

function describedRefusal(exchange: Exchange, path: string, allowed: readonly string[]): Refusal {
  const { entry } = exchange.app;
  const what = `${exchange.method} ${path.slice(0, 200)}`;
  const advice =
    'It is refused because only described operations can be granted. An operator can add or update the API description.';
  return new Refusal('gateway.operation_unknown', `${entry.title} describes no operation ${what}. ${advice}`, {
    detail: { app: entry.name, ...(allowed.length > 0 ? { methods: allowed } : {}) },
  });
}

function assignUnknown(exchange: Exchange, path: string, query: string, allowed: readonly string[]): void {
  if (exchange.app.entry.unknownOperations !== 'allow') throw describedRefusal(exchange, path, allowed);
  setPath(exchange, path, query);
  exchange.operation = { id: unknownOperation(exchange.method).id, template: null, parameters: {}, described: null };
}

function resolve(exchange: Exchange, table: OperationTable | null): void {
  const full = exchange.path;
  const mark = full.indexOf('?');
  const pathname = mark === -1 ? full : full.slice(0, mark);
  const query = mark === -1 ? '' : full.slice(mark);
  if (!table) {
    const canonical = canonicalPath(pathname);
    if (!canonical.ok) throw refusedPath(canonical.reason);
    return assignUnknown(exchange, canonical.path, query, []);
  }
  const found = table.resolve(exchange.method, pathname);
  switch (found.kind) {
    case 'refused':
      throw refusedPath(found.reason);
    case 'method':
      return assignUnknown(exchange, found.path, query, found.allowMethods);
    case 'unknown':
      return assignUnknown(exchange, found.path, query, []);
    default: {
      // The canonical path is what was judged, so it is what the upstream gets.
      setPath(exchange, found.path, query);
      const { operation } = found;
      exchange.operation = {
        id: operation.id,
        template: operation.path,
        parameters: found.pathParams,
        described: { table, operation },
      };
    }
  }
}

/** Finds out which operation of the app a call is. What no description knows is refused unless the app allows it. */
export function loadOperation(exchange: Exchange): void | Promise<void> {
  if (isGraphqlCall(exchange)) return loadGraphqlOperation(exchange);
  const table = exchange.runtime.operations.table(exchange.app);
  if (!(table instanceof Promise)) return resolve(exchange, table);
  return table.then(
    (loaded) => resolve(exchange, loaded),
    (error: unknown) => {
      throw new Refusal(
        'gateway.operation_table_unavailable',
        `The API description of ${exchange.app.entry.title} could not be fetched from control yet. Try again.`,
        { headers: [['Retry-After', '2']], cause: error },
      );
    },
  );
}
