/** How a tool can be made to forget a record of an object; found among its connector's actions. */
export interface RetentionWay {
  readonly action: string;
  /** Names of the action's inputs. */
  readonly input: readonly string[];
  readonly canVerify: boolean;
}

/** A place whose records can be read. */
export interface RetentionSource {
  readonly connectionId: string;
  readonly app: string;
  readonly streams: readonly string[];
  way(object: string, action: 'delete' | 'anonymise'): RetentionWay | null;
}

export interface RetentionItemRead {
  readonly object: string;
  readonly id: string;
  readonly parentId?: string | null | undefined;
  readonly createdAt?: string | null | undefined;
  readonly updatedAt?: string | null | undefined;
}

/** Narrow ports to connectors; the worker wires them. */
export interface RetentionTools {
  list(): Promise<readonly RetentionSource[]>;
  read(connectionId: string, stream: string, purpose: string): AsyncIterable<RetentionItemRead>;
  /** Acts once for a key, whatever happens in between; looks before it acts again. */
  act(request: {
    readonly connectionId: string;
    readonly action: string;
    readonly input: Readonly<Record<string, string>>;
    readonly key: string;
  }): Promise<{ readonly runId: string; readonly outcome: string | null; readonly error: string | null }>;
  /** Reads again: `gone` when the tool shows that it took effect. */
  verify(request: {
    readonly connectionId: string;
    readonly action: string;
    readonly input: Readonly<Record<string, string>>;
    readonly key: string;
  }): Promise<'gone' | 'there' | 'unknown'>;
}

export const ANONYMISED_TEXT = '[removed by retention]';

/**
 * An action's inputs from a record's id, or null where they can't be told. Composite ids are joined as manifests join
 * them: `channel:ts`, `owner/repository#number`, the last part being the record and the first its parent.
 */
export function inputsFor(way: RetentionWay, id: string, parentId: string | null): Record<string, string> | null {
  const names = way.input.filter((name) => !/^(?:text|body|value|content|title)$/.test(name));
  const texts = Object.fromEntries(
    way.input.filter((name) => !names.includes(name)).map((name) => [name, ANONYMISED_TEXT]),
  );
  const [first, second] = names;
  if (first !== undefined && names.length === 1) return { [first]: id, ...texts };
  if (first === undefined || second === undefined || names.length > 2) return null;
  const cut = Math.max(id.lastIndexOf(':'), id.lastIndexOf('#'));
  if (cut > 0) return { [first]: id.slice(0, cut), [second]: id.slice(cut + 1), ...texts };
  return parentId === null ? null : { [first]: parentId, [second]: id, ...texts };
}
