import type { KeyObject } from 'node:crypto';
import type { Clock, Logger } from '@cordon/kernel';
import {
  applyDelta,
  decodeSigned,
  type SignedDocument,
  SNAPSHOT_BYTES_MAX,
  type Snapshot,
  snapshotKeyId,
  type TokenEntry,
  tokenEntry,
  verifyDelta,
  verifySnapshot,
} from '@cordon/policy';
import type { ControlClient } from './control-client.ts';
import { GatewayError } from './errors.ts';
import { SnapshotStore } from './snapshot-store.ts';

/** A lost notification hides a change for at most this long. */
export const EPOCH_POLL_MS = 250;
/** Unchanged, what is in force is reported this often; a change is reported at once. */
const REPORT_MS = 1_000;
const STREAM_RETRY_MS_MAX = 2_000;
/** A quote inside a JSON string is escaped, so this occurs only as the document's own member. */
const FULL_MARK = '"type":"cordon.snapshot/1"';
const CONTACT_SAVE_MS = 10_000;
const STREAM_SILENCE_MS_MAX = 30_000;

export type Introspection = { readonly active: true; readonly token: TokenEntry } | { readonly active: false };

/** Where a gateway gets what it decides from. The real one speaks to control; tests hand in a fixed one. */
export interface SnapshotSource {
  readonly current: Snapshot | undefined;
  /** When control was last heard of, milliseconds since the epoch; 0 when never. */
  readonly contactAt: number;
  start(onSnapshot: (snapshot: Snapshot) => void): Promise<void>;
  stop(): Promise<void>;
  blob(sha256: string): Promise<Buffer>;
  /** Asks control about a token that the snapshot doesn't know. Rejects when control doesn't answer. */
  introspect(sha256: string): Promise<Introspection>;
}

export interface ControlSourceOptions {
  readonly client: ControlClient;
  readonly folder: string;
  readonly keys: readonly KeyObject[];
  readonly gatewayId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pollMs?: number;
  /** What else a status report holds. */
  readonly extraReport?: () => Record<string, unknown>;
}

interface Head {
  readonly version: number;
  readonly epoch: number;
}

function parseHead(bytes: Buffer): Head {
  const parsed: unknown = JSON.parse(bytes.toString('utf8'));
  const head = parsed as Partial<Head> | null; // each member is checked below
  if (!head || !Number.isSafeInteger(head.version) || !Number.isSafeInteger(head.epoch)) {
    throw new GatewayError(
      'gateway.control_unavailable',
      'control answered with something else than version and epoch',
    );
  }
  return { version: head.version!, epoch: head.epoch! };
}

/**
 * Keeps the snapshot current: a stream of signed deltas while it lasts, and a poll of version and epoch beside it
 * that notices whatever the stream lost. Nothing is applied that isn't signed, newer and complete.
 */
export class ControlSource implements SnapshotSource {
  readonly #options: ControlSourceOptions;
  readonly #store: SnapshotStore;
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #stopping = new AbortController();
  #snapshot: Snapshot | undefined;
  #onSnapshot: (snapshot: Snapshot) => void = () => undefined;
  #contactAt = 0;
  #contactSavedAt = 0;
  #appliedAt = 0;
  #reportedAt = 0;
  #catchingUp: Promise<void> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #pollTimer: NodeJS.Timeout | undefined;
  #streamTimer: NodeJS.Timeout | undefined;
  #refused = '';

  constructor(options: ControlSourceOptions) {
    this.#options = options;
    this.#store = new SnapshotStore(options.folder, options.logger);
    this.#keys = new Map(options.keys.map((key) => [snapshotKeyId(key), key]));
  }

  get current(): Snapshot | undefined {
    return this.#snapshot;
  }

  get contactAt(): number {
    return this.#contactAt;
  }

  /** Resolves once a snapshot is in force or control was asked once; goes on trying in the background. */
  async start(onSnapshot: (snapshot: Snapshot) => void): Promise<void> {
    this.#onSnapshot = onSnapshot;
    const stored = this.#store.load(this.#keys);
    this.#contactAt = this.#store.loadContact();
    if (stored) this.#use(stored);
    await this.#poll();
    void this.#follow(0);
  }

  #use(snapshot: Snapshot): void {
    this.#snapshot = snapshot;
    this.#appliedAt = this.#options.clock.now();
    this.#onSnapshot(snapshot);
  }

  async #poll(): Promise<void> {
    try {
      const answer = await this.#options.client.get('/internal/gateway/epoch', this.#stopping.signal);
      if (answer.status !== 200)
        throw new GatewayError('gateway.control_unavailable', `control answered ${answer.status}`);
      const head = parseHead(answer.body);
      const known = this.#snapshot;
      if (!known || head.version > known.version || head.epoch > known.epoch) await this.#catchUp();
      // Contact counts only when what control has is what is in force here: a head that can't be reached is no news.
      const now = this.#snapshot;
      if (now && now.version >= head.version && now.epoch >= head.epoch) await this.#touch();
      if (this.#options.clock.now() - this.#reportedAt >= REPORT_MS) await this.#report();
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#options.logger.debug({ err: error }, 'control is away');
    } finally {
      if (!this.#stopping.signal.aborted) {
        this.#pollTimer = setTimeout(() => void this.#poll(), this.#options.pollMs ?? EPOCH_POLL_MS);
      }
    }
  }

  async #touch(): Promise<void> {
    this.#contactAt = this.#options.clock.now();
    if (this.#contactAt - this.#contactSavedAt < CONTACT_SAVE_MS) return;
    this.#contactSavedAt = this.#contactAt;
    await this.#store.saveContact(this.#contactAt);
  }

  async #report(): Promise<void> {
    if (!this.#snapshot) return;
    this.#reportedAt = this.#options.clock.now();
    await this.#options.client.post('/internal/gateway/status', {
      gatewayId: this.#options.gatewayId,
      pid: process.pid,
      version: this.#snapshot.version,
      epoch: this.#snapshot.epoch,
      appliedAt: this.#appliedAt,
      ...this.#options.extraReport?.(),
    });
  }

  #catchUp(): Promise<void> {
    this.#catchingUp ??= this.#fetchMissing().finally(() => {
      this.#catchingUp = undefined;
    });
    return this.#catchingUp;
  }

  /** Deltas when control still has them, else the whole document. */
  async #fetchMissing(): Promise<void> {
    const known = this.#snapshot;
    if (known && !this.#store.wantsFull) {
      const path = `/internal/gateway/stream?since=${known.version}&wait=0`;
      const answer = await this.#options.client.get(path, this.#stopping.signal);
      if (answer.status === 200 && answer.body.length > 0) {
        const lines = answer.body.toString('utf8').split('\n').filter(Boolean);
        if (lines.every((line) => this.#applyLine(line)) && this.#snapshot !== known) return;
      }
    }
    await this.#fetchFull();
  }

  async #fetchFull(): Promise<void> {
    const answer = await this.#options.client.get('/internal/gateway/snapshot', this.#stopping.signal);
    if (answer.status !== 200)
      throw new GatewayError('gateway.control_unavailable', `control answered ${answer.status}`);
    try {
      this.#applyFull(decodeSigned(answer.body.toString('utf8')));
    } catch (error) {
      this.#refuse(error);
      throw error;
    }
  }

  #applyFull(signed: SignedDocument): void {
    const known = this.#snapshot;
    const next = verifySnapshot(signed, { keys: this.#keys, ...(known ? { notBefore: known } : {}) });
    if (known && next.version === known.version) return;
    this.#use(next);
    this.#save(() => this.#store.saveFull(signed, next.version));
  }

  /** Applies one line of the stream. Returns false when it doesn't follow from what is in force. */
  #applyLine(line: string): boolean {
    const known = this.#snapshot;
    if (!known) return false;
    try {
      const signed = decodeSigned(line);
      // Control sends the whole document where it has no deltas from here on. Only a hint: the signature decides.
      if (signed.payload.includes(FULL_MARK)) {
        this.#applyFull(signed);
        return true;
      }
      const delta = verifyDelta(signed, { keys: this.#keys });
      if (delta.version <= known.version) return true; // already here by the other way
      const next = applyDelta(known, delta);
      this.#use(next);
      this.#save(() => this.#store.saveDelta(signed, delta.base, delta.version));
      return true;
    } catch (error) {
      this.#refuse(error);
      return false;
    }
  }

  #refuse(error: unknown): void {
    // Once per reason: a control plane that keeps sending the same bad document must not fill the log.
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === this.#refused) return;
    this.#refused = reason;
    this.#options.logger.error({ err: error }, 'refused a snapshot; the last good one stays in force');
  }

  #save(write: () => Promise<void>): void {
    this.#saving = this.#saving.then(write).catch((error: unknown) => {
      this.#options.logger.error({ err: error }, 'cannot store the snapshot');
    });
  }

  async #follow(failures: number): Promise<void> {
    let failed = failures + 1;
    try {
      if (this.#snapshot) {
        await this.#readStream(this.#snapshot.version);
        failed = 0;
      }
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#options.logger.debug({ err: error }, 'the snapshot stream ended');
    }
    if (this.#stopping.signal.aborted) return;
    const delay = Math.min(STREAM_RETRY_MS_MAX, 100 * 2 ** Math.min(failed, 10));
    this.#streamTimer = setTimeout(() => void this.#follow(failed), delay);
  }

  async #readStream(since: number): Promise<void> {
    const ending = new AbortController();
    const signal = AbortSignal.any([this.#stopping.signal, ending.signal]);
    const { status, body } = await this.#options.client.open(`/internal/gateway/stream?since=${since}`, signal);
    if (status !== 200) {
      body.resume();
      throw new GatewayError('gateway.control_unavailable', `control answered ${status}`);
    }
    // Control sends an empty line now and then; a connection that died silently is found by their absence.
    let silence = setTimeout(() => ending.abort(), STREAM_SILENCE_MS_MAX);
    let rest = '';
    body.setEncoding('utf8');
    try {
      for await (const chunk of body) {
        clearTimeout(silence);
        silence = setTimeout(() => ending.abort(), STREAM_SILENCE_MS_MAX);
        rest += String(chunk);
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > 2 * SNAPSHOT_BYTES_MAX)
          throw new GatewayError('gateway.control_unavailable', 'a delta is too large');
        for (const line of lines) {
          if (line === '') continue;
          if (this.#applyLine(line)) await this.#report();
          else await this.#catchUp();
        }
      }
    } finally {
      clearTimeout(silence);
      ending.abort();
    }
  }

  async blob(sha256: string): Promise<Buffer> {
    const answer = await this.#options.client.get(`/internal/gateway/blobs/${sha256}`, this.#stopping.signal);
    if (answer.status !== 200)
      throw new GatewayError('gateway.control_unavailable', `control answered ${answer.status}`);
    return answer.body;
  }

  async introspect(sha256: string): Promise<Introspection> {
    const answer = await this.#options.client.post('/internal/gateway/tokens/introspect', { sha256 });
    if (answer.status !== 200)
      throw new GatewayError('gateway.control_unavailable', `control answered ${answer.status}`);
    const parsed: unknown = JSON.parse(answer.body.toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || !('active' in parsed) || parsed.active !== true) {
      return { active: false };
    }
    return { active: true, token: tokenEntry.parse('token' in parsed ? parsed.token : undefined) };
  }

  async stop(): Promise<void> {
    clearTimeout(this.#pollTimer);
    clearTimeout(this.#streamTimer);
    this.#stopping.abort();
    await this.#saving;
  }
}
