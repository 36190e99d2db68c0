import { createOperations, type Operation, type Operations as OperationTable } from '@cordon/openapi';
import type { Logger } from '@cordon/kernel';
import type { OperationFacts } from '@cordon/policy';
import type { AppPlan } from './app-plan.ts';
import type { BlobStore } from './blob-store.ts';

/** The operation that a call is, with the parameters its path carries. */
export interface ResolvedOperation {
  readonly id: string;
  /** Path template; null for calls that no description knows. */
  readonly template: string | null;
  readonly parameters: Readonly<Record<string, string>>;
  /** What validates the call; null for calls that no description knows. */
  readonly described: { readonly table: OperationTable; readonly operation: Operation } | null;
}

const RETRY_MS = 2_000;

interface Loading {
  readonly sha256: string;
  readonly table: Promise<OperationTable>;
  ready: OperationTable | undefined;
  failedAt: number;
}

/** Operation tables of the apps, loaded by content address and kept while some app uses them. */
export class Operations {
  readonly #byApp = new Map<string, Loading>();
  readonly #blobs: BlobStore;
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #onLoaded: (appId: string) => void;

  constructor(blobs: BlobStore, logger: Logger, now: () => number, onLoaded: (appId: string) => void) {
    this.#blobs = blobs;
    this.#logger = logger;
    this.#now = now;
    this.#onLoaded = onLoaded;
  }

  /** What authorization asks about an operation by its id. */
  facts(appId: string, operationId: string): OperationFacts | undefined {
    return this.#byApp.get(appId)?.ready?.get(operationId);
  }

  /** Begins to load what the apps in force need, so that it is there when calls come; forgets the rest. */
  retain(plans: Iterable<AppPlan>): void {
    const kept = new Set<string>();
    for (const plan of plans) {
      kept.add(plan.entry.id);
      if (plan.entry.description) void this.#load(plan, plan.entry.description.sha256);
    }
    for (const id of this.#byApp.keys()) if (!kept.has(id)) this.#byApp.delete(id);
  }

  /**
   * The app's table: at once when it is loaded, null when the app has no description.
   * The promise rejects when control doesn't have it or what it has isn't what was signed.
   */
  table(plan: AppPlan): OperationTable | null | Promise<OperationTable> {
    const { id, description } = plan.entry;
    if (!description) return null;
    const known = this.#byApp.get(id);
    if (known?.sha256 === description.sha256 && known.ready) return known.ready;
    return this.#load(plan, description.sha256);
  }

  #load(plan: AppPlan, sha256: string): Promise<OperationTable> {
    const { id, name, upstream } = plan.entry;
    const known = this.#byApp.get(id);
    const failing = known !== undefined && known.failedAt > 0 && this.#now() - known.failedAt > RETRY_MS;
    if (known?.sha256 === sha256 && !failing) return known.table;
    const table = this.#blobs.get(sha256).then((blob) => createOperations(blob, { upstream }));
    const loading: Loading = { sha256, table, ready: undefined, failedAt: 0 };
    this.#byApp.set(id, loading);
    void this.#settle(loading, id, name);
    return table;
  }

  async #settle(loading: Loading, id: string, name: string): Promise<void> {
    try {
      loading.ready = await loading.table;
      this.#onLoaded(id);
    } catch (error) {
      loading.failedAt = this.#now();
      this.#logger.error({ err: error, app: name }, 'the operation table of an app cannot be loaded');
    }
  }
}
