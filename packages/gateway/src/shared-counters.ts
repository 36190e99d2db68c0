import net from 'node:net';
import type { Clock, Logger } from '@cordon/kernel';
import { CounterHub, HubFolder, learnStates, stateMessages } from './counter-hub.ts';
import { type CounterMessage, CounterWire } from './counter-message.ts';
import {
  type Admission,
  type LimitCheck,
  type LimitCounters,
  type LimitPlace,
  LocalCounters,
} from './limit-counters.ts';
import type { Metrics } from './metrics.ts';
import { type PendingAdmission, PendingAdmissions } from './pending-admissions.ts';
import type { ProofUse } from './proof-memory.ts';
import type { BudgetNote } from './sharing/budget-note.ts';

/** Decisions that a process took alone, because nobody that counts for all answered in time. */
export const LOCAL_DECISIONS = 'cordon_gateway_limits_decided_alone_total';

/** A hub answers in well under a millisecond; this covers a pause of its process, and the election of another one. */
export const HUB_WAIT_MS_MAX = 100;
/** How long a new hub waits for the others to tell what the one before them let in. */
const HAND_OVER_MS_MAX = 60;
const HELLO_MS_MAX = 250;
/** A hub that says nothing for so long while it is asked is left. */
const SILENCE_MS_MAX = 1_000;
const SEEK_AGAIN_MS = 250;
const CHECK_RIVALS_MS = 1_000;
const SEEK_TRIES_MAX = 20;
const REFUSED_AGAIN_MS = 2;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

export interface SharedCountersOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Counters that the gateway processes of one data directory share. One of them is the hub: it has bound the newest
 * socket. The others ask it, one write for each turn of the event loop, and keep a copy of what it tells: when it ends,
 * whoever binds the next socket goes on from that copy.
 */
export class SharedCounters implements LimitCounters {
  readonly #options: SharedCountersOptions;
  readonly #folder: HubFolder;
  /** All counts, and proofs that were used, when this process is the hub; otherwise what it knows of them, and what it decides by when alone. */
  readonly #counters: LocalCounters;
  readonly #pending = new PendingAdmissions(HUB_WAIT_MS_MAX, (late) => this.#decideLate(late));
  /** Calls of this process that hold places, to be told to a new hub. */
  readonly #held = new Map<number, readonly LimitCheck[]>();
  readonly #asked = new Map<number, (use: ProofUse) => void>();
  #hub: CounterHub | undefined;
  #link: CounterWire | undefined;
  #heardAt = 0;
  /** Processes that asked the last hub, this one among them. */
  #peers = 0;
  #slow = false;
  #aloneSince = 0;
  #warned = false;
  #lastId = 0;
  #seeking: Promise<void> | undefined;
  #again: NodeJS.Timeout | undefined;
  #rivals: NodeJS.Timeout | undefined;
  #stopped = false;
  #onNote: (note: BudgetNote) => void = () => undefined;

  constructor(options: SharedCountersOptions) {
    this.#options = options;
    this.#folder = new HubFolder(options.folder);
    this.#counters = new LocalCounters(options.clock);
    options.metrics.gauge('cordon_gateway_counter_hub', 'Whether this process counts for the machine', () =>
      this.#hub ? 1 : 0,
    );
  }

  get isHub(): boolean {
    return this.#hub !== undefined;
  }

  async start(): Promise<void> {
    await this.#seek();
  }

  admit(checks: readonly LimitCheck[]): LimitPlace | Promise<LimitPlace> {
    const id = ++this.#lastId;
    if (this.#hub) return this.#decide(id, checks);
    if (this.#link && !this.#slow) {
      this.#link.send({ what: 'admit', id, checks });
      return this.#pending.add(id, checks);
    }
    // Between two hubs: the next one is there in milliseconds.
    if (!this.#link && performance.now() - this.#aloneSince < HUB_WAIT_MS_MAX) return this.#pending.add(id, checks);
    return this.#decideAlone(id, checks);
  }

  useProof(name: string, source: string): ProofUse | Promise<ProofUse> {
    const own = this.#counters.useProof(name, source);
    if (own !== 'first' || this.#hub) return own;
    if (!this.#link || this.#slow) return this.#useAlone();
    const id = ++this.#lastId;
    this.#link.send({ what: 'proof', id, name, source });
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        this.#asked.delete(id);
        resolve(this.#useAlone());
      }, HUB_WAIT_MS_MAX);
      this.#asked.set(id, (use) => {
        clearTimeout(late);
        this.#asked.delete(id);
        resolve(use);
      });
    });
  }

  #useAlone(): ProofUse {
    this.#options.metrics.count(LOCAL_DECISIONS);
    return 'alone';
  }

  addBytes(key: string, bytes: number): void {
    this.#counters.addBytes(key, bytes);
    if (this.#hub) this.#hub.touch([{ key }]);
    else this.#link?.send({ what: 'bytes', key, bytes });
  }

  tell(note: BudgetNote): void {
    if (this.#hub) this.#hub.tell(note);
    else this.#link?.send({ what: 'note', note });
  }

  onNote(listener: (note: BudgetNote) => void): void {
    this.#onNote = listener;
  }

  #decide(id: number, checks: readonly LimitCheck[]): LimitPlace {
    const admission = this.#counters.decide(checks);
    this.#hub?.touch(checks);
    return this.#place(id, checks, admission);
  }

  #decideAlone(id: number, checks: readonly LimitCheck[]): LimitPlace {
    this.#options.metrics.count(LOCAL_DECISIONS);
    if (!this.#warned) this.#options.logger.warn('no hub counts limits for this machine; each process counts alone');
    this.#warned = true;
    const place = this.#decide(id, checks);
    // A hub that is only slow learns of the call all the same, or that it didn't happen.
    this.#link?.send(place.admission.refused ? { what: 'leave', id } : { what: 'hold', id, checks });
    return place;
  }

  #decideLate({ id, checks, resolve }: PendingAdmission): void {
    if (this.#link) this.#slow = true;
    resolve(this.#hub ? this.#decide(id, checks) : this.#decideAlone(id, checks));
    if (this.#link && performance.now() - this.#heardAt > SILENCE_MS_MAX) this.#link.destroy();
  }

  /** The places are already held in this process's own counters. */
  #place(id: number, checks: readonly LimitCheck[], admission: Admission): LimitPlace {
    const holds = !admission.refused && checks.some(({ concurrency }) => concurrency !== null);
    if (holds) this.#held.set(id, checks);
    const leave = (): void => {
      if (!this.#held.delete(id)) return;
      this.#counters.leave(checks);
      this.#link?.send({ what: 'leave', id });
    };
    return { admission, leave };
  }

  #onMessages(messages: readonly CounterMessage[]): void {
    this.#heardAt = performance.now();
    this.#slow = false;
    this.#warned = false;
    for (const message of messages) {
      if (message.what === 'states') learnStates(this.#counters, message);
      if (message.what === 'peers') this.#peers = message.count;
      if (message.what === 'note') this.#onNote(message.note);
      if (message.what === 'use') this.#asked.get(message.id)?.(message.use);
      if (message.what !== 'verdict') continue;
      const { id, admission, states } = message;
      const pending = this.#pending.take(id);
      if (!pending) continue; // it was decided alone meanwhile, and the hub told so
      for (const [index, { key }] of pending.checks.entries()) {
        const state = states[index];
        if (state) this.#counters.learn({ key, ...state });
      }
      if (!admission.refused) this.#counters.hold(pending.checks);
      pending.resolve(this.#place(id, pending.checks, admission));
    }
  }

  /** Finds the hub, or becomes it. */
  #seek(): Promise<void> {
    this.#seeking ??= this.#seekOnce()
      .catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'the socket for shared limits cannot be used');
      })
      .finally(() => {
        this.#seeking = undefined;
        if (this.#stopped || this.#hub || this.#link) return;
        this.#again = setTimeout(() => void this.#seek(), SEEK_AGAIN_MS);
      });
    return this.#seeking;
  }

  async #seekOnce(): Promise<void> {
    for (let tries = 0; tries < SEEK_TRIES_MAX && !this.#stopped; tries++) {
      const newest = this.#folder.generations()[0] ?? 0;
      if (newest > 0) {
        const found = await this.#connect(newest);
        if (found !== 'nobody') return;
        // The owner may be between bind and listen.
        await pause(REFUSED_AGAIN_MS);
        if ((await this.#connect(newest)) !== 'nobody') return;
      }
      const hub = await CounterHub.open(this.#folder.address(newest + 1), this.#counters);
      if (hub) return this.#lead(hub, newest + 1);
    }
  }

  async #lead(hub: CounterHub, generation: number): Promise<void> {
    for (const old of this.#folder.generations()) if (old < generation) this.#folder.remove(old);
    hub.onProof = (name, source) => this.#counters.useProof(name, source);
    await hub.begin(Math.max(0, this.#peers - 1), HAND_OVER_MS_MAX);
    if (this.#stopped) return hub.close();
    this.#hub = hub;
    hub.onNote = (note) => this.#onNote(note);
    this.#warned = false;
    this.#peers = 0;
    for (const { id, checks } of this.#pending.all()) this.#pending.take(id)?.resolve(this.#decide(id, checks));
    this.#rivals = setInterval(() => {
      if ((this.#folder.generations()[0] ?? 0) > generation) this.#stepDown();
    }, CHECK_RIVALS_MS);
    this.#rivals.unref();
  }

  /** Another process took this one for dead and counts since: it is right, being the newer one. */
  #stepDown(): void {
    const hub = this.#hub;
    if (!hub) return;
    this.#hub = undefined;
    clearInterval(this.#rivals);
    this.#aloneSince = performance.now();
    void hub.close().then(() => this.#seek());
  }

  /** `nobody`: no process listens there. `silent`: one does, and doesn't answer. */
  #connect(generation: number): Promise<'linked' | 'silent' | 'nobody'> {
    return new Promise((resolve) => {
      const socket = net.connect(this.#folder.address(generation));
      const silent = setTimeout(() => {
        socket.destroy();
        resolve('silent');
      }, HELLO_MS_MAX);
      let greeted = false;
      const wire = new CounterWire(
        socket,
        (messages) => {
          if (!greeted) this.#follow(wire);
          greeted = true;
          clearTimeout(silent);
          this.#onMessages(messages);
          resolve('linked');
        },
        () => {
          clearTimeout(silent);
          resolve('nobody');
          if (this.#link === wire) this.#lose();
        },
      );
    });
  }

  #follow(wire: CounterWire): void {
    if (this.#stopped) return wire.destroy();
    this.#link = wire;
    this.#slow = false;
    for (const message of stateMessages(this.#counters)) wire.send(message);
    // A hub that takes over must know what was used before it did.
    for (const [name, source] of this.#counters.proofs()) wire.send({ what: 'proof', id: 0, name, source });
    for (const [id, checks] of this.#held) wire.send({ what: 'hold', id, checks });
    for (const { id, checks } of this.#pending.all()) wire.send({ what: 'admit', id, checks });
  }

  #lose(): void {
    this.#link = undefined;
    this.#aloneSince = performance.now();
    if (!this.#stopped) void this.#seek();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#again);
    clearInterval(this.#rivals);
    await this.#seeking;
    this.#link?.destroy();
    await this.#hub?.close();
    this.#folder.close();
  }
}
