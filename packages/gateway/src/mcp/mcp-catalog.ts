import type { Logger } from '@cordon/kernel';
import {
  DEFINITION_BYTES_MAX,
  definitionHash,
  isMcpName,
  type McpItemEntry,
  type McpItemKind,
  pinnedDefinition,
} from '@cordon/policy';
import type { McpTables } from './mcp-tables.ts';

/** A definition as a server gave it. */
export interface SeenItem {
  readonly kind: McpItemKind;
  readonly name: string;
  readonly definition: Record<string, unknown>;
}

/** How a definition stands to what was accepted. */
export type Standing = 'accepted' | 'changed' | 'new' | 'withheld';

export type ReportItems = (appId: string, items: readonly SeenItem[]) => Promise<void>;

/** What was checked at most so long ago needn't be asked for again before a call. */
export const VERIFIED_MS_MAX = 60_000;
const REMEMBERED_MAX = 20_000;

/**
 * Compares what servers say of themselves with what people accepted. What differs is withheld by this process from
 * that moment on, and reported to control, which suspends it everywhere until somebody has looked at the difference.
 */
export class McpCatalog {
  readonly #report: ReportItems;
  readonly #logger: Logger;
  /** What this process saw change. A decision about it makes a new entry, which isn't in here. */
  readonly #changed = new WeakSet<McpItemEntry>();
  readonly #reported = new Set<string>();
  readonly #verifiedAt = new Map<string, number>();

  constructor(report: ReportItems, logger: Logger) {
    this.#report = report;
    this.#logger = logger;
  }

  /** @param key one list of one session */
  isFresh(key: string, now: number): boolean {
    return now - (this.#verifiedAt.get(key) ?? -Infinity) < VERIFIED_MS_MAX;
  }

  noteVerified(key: string, now: number): void {
    if (this.#verifiedAt.size >= REMEMBERED_MAX) this.#verifiedAt.clear();
    this.#verifiedAt.set(key, now);
  }

  /** A server said that a list changed: the next call asks before it goes. */
  forget(key: string): void {
    this.#verifiedAt.delete(key);
  }

  /** Whether an accepted item may be used here and now. */
  isUsable(item: McpItemEntry): boolean {
    return item.state === 'accepted' && !this.#changed.has(item);
  }

  /** Judges definitions that a server just gave, and reports what control doesn't know. */
  judge(tables: McpTables, appId: string, seen: readonly SeenItem[]): Standing[] {
    const unknown: SeenItem[] = [];
    const standings = seen.map((item): Standing => {
      if (!isMcpName(item.kind, item.name) || JSON.stringify(item.definition).length > DEFINITION_BYTES_MAX)
        return 'withheld';
      const hash = definitionHash(item.definition);
      const entry = tables.item(appId, item.kind, item.name);
      const standing = this.#standing(entry, hash);
      if (
        (standing === 'new' || standing === 'changed') &&
        this.#isNews(`${appId} ${item.kind} ${item.name} ${hash}`)
      ) {
        unknown.push({ ...item, definition: pinnedDefinition(item.definition) });
      }
      return standing;
    });
    if (unknown.length > 0) void this.#send(appId, unknown);
    return standings;
  }

  #standing(entry: McpItemEntry | undefined, hash: string): Standing {
    if (!entry) return 'new';
    if (entry.sha256 !== hash) {
      this.#changed.add(entry);
      return 'changed';
    }
    return this.isUsable(entry) ? 'accepted' : 'withheld';
  }

  #isNews(key: string): boolean {
    if (this.#reported.has(key)) return false;
    if (this.#reported.size >= REMEMBERED_MAX) this.#reported.clear();
    this.#reported.add(key);
    return true;
  }

  async #send(appId: string, items: readonly SeenItem[]): Promise<void> {
    try {
      await this.#report(appId, items);
    } catch (error) {
      // Said again with the next list: until then this process alone withholds it.
      this.#reported.clear();
      this.#logger.warn({ err: error, app: appId }, 'control could not be told what an MCP server offers');
    }
  }
}
