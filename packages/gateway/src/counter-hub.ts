import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { type CounterMessage, CounterWire } from './counter-message.ts';
import type { LimitCheck, LocalCounters } from './limit-counters.ts';
import type { ProofUse } from './proof-memory.ts';
import type { BudgetNote } from './sharing/budget-note.ts';

/** How long what one process counted may be unknown to the others, should the hub die. */
export const SHARE_MS = 100;
const STATES_PER_LINE = 1_000;
/** Bytes of `sun_path` that every platform has. */
const SOCKET_PATH_BYTES_MAX = 100;
const NAME = /^hub-(\d{1,12})\.sock$/;

/**
 * Where the sockets of a folder are bound. A path too long for a socket is reached through the descriptor of its
 * folder, which Linux shows as a short one.
 */
export class HubFolder {
  readonly #folder: string;
  readonly #handle: number | undefined;

  constructor(folder: string) {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    const long = Buffer.byteLength(folder) + 24 > SOCKET_PATH_BYTES_MAX;
    this.#handle = long && process.platform === 'linux' ? fs.openSync(folder, 'r') : undefined;
  }

  address(generation: number): string {
    const folder = this.#handle === undefined ? this.#folder : `/proc/self/fd/${this.#handle}`;
    return path.join(folder, `hub-${generation}.sock`);
  }

  /** Generations that have a socket, alive or left behind, the newest first. */
  generations(): number[] {
    if (!fs.existsSync(this.#folder)) return [];
    const names = fs.readdirSync(this.#folder).flatMap((name) => NAME.exec(name)?.[1] ?? []);
    return names.map(Number).toSorted((a, b) => b - a);
  }

  remove(generation: number): void {
    fs.rmSync(path.join(this.#folder, `hub-${generation}.sock`), { force: true });
  }

  close(): void {
    if (this.#handle !== undefined) fs.closeSync(this.#handle);
  }
}

export function* stateMessages(counters: LocalCounters, keys?: Iterable<string>): Generator<CounterMessage> {
  const states = keys ? [...keys].map((key) => counters.state(key)) : counters.states();
  for (let from = 0; from === 0 || from < states.length; from += STATES_PER_LINE) {
    yield { what: 'states', day: counters.day, states: states.slice(from, from + STATES_PER_LINE) };
  }
}

export function learnStates(counters: LocalCounters, message: CounterMessage & { what: 'states' }): void {
  // Yesterday's sums say nothing about today's quota.
  const today = message.day === counters.day;
  for (const state of message.states) counters.learn(today ? state : { ...state, calls: 0, bytes: 0 });
}

interface Peer {
  readonly wire: CounterWire;
  /** Calls of this process that hold places, by the process's own number of the call. */
  readonly held: Map<number, readonly LimitCheck[]>;
  /** It has told what it knows. */
  told: boolean;
}

/** Counts for all gateway processes of a machine. The places of a process that ends are given back. */
export class CounterHub {
  readonly #server: net.Server;
  readonly #counters: LocalCounters;
  readonly #peers = new Set<Peer>();
  readonly #changed = new Set<string>();
  /** Calls that came before the processes that outlived the last hub told what they know. */
  #early: (() => void)[] | undefined = [];
  #sharing: NodeJS.Timeout | undefined;
  #onPeer: (() => void) | undefined;
  /** Told what the other processes learn of vendors' limits. */
  onNote: ((note: BudgetNote) => void) | undefined;
  /** Notes the use of a proof. */
  onProof: (name: string, source: string) => ProofUse = () => 'first';

  private constructor(server: net.Server, counters: LocalCounters) {
    this.#server = server;
    this.#counters = counters;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** Binds the address, which only one process can. Resolves to undefined when another one has it. */
  static open(address: string, counters: LocalCounters): Promise<CounterHub | undefined> {
    const server = net.createServer();
    return new Promise((resolve, reject) => {
      const onError = (error: Error): void => {
        if ('code' in error && error.code === 'EADDRINUSE') resolve(undefined);
        else reject(error);
      };
      server.once('error', onError);
      server.listen(address, () => {
        server.off('error', onError);
        fs.chmodSync(address, 0o600);
        resolve(new CounterHub(server, counters));
      });
    });
  }

  /**
   * Waits until `peers` processes have come and told their counts, or until it is time to begin without them; decides
   * from then on.
   */
  async begin(peers: number, waitMsMax: number): Promise<void> {
    const told = (): number => [...this.#peers].filter((peer) => peer.told).length;
    if (told() < peers) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const late = setTimeout(resolve, waitMsMax);
      this.#onPeer = () => {
        if (told() >= peers) resolve();
      };
      await promise;
      clearTimeout(late);
      this.#onPeer = undefined;
    }
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const decide of early) decide();
  }

  /** Notes that the hub's own process counted something that the others should know. */
  touch(checks: readonly { readonly key: string }[]): void {
    if (this.#peers.size === 0) return;
    for (const { key } of checks) this.#changed.add(key);
    this.#sharing ??= setTimeout(() => this.#share(), SHARE_MS);
  }

  #accept(socket: net.Socket): void {
    const held = new Map<number, readonly LimitCheck[]>();
    const peer: Peer = {
      held,
      told: false,
      wire: new CounterWire(
        socket,
        (messages) => {
          for (const message of messages) this.#answer(peer, message);
          peer.wire.flush();
        },
        () => {
          this.#peers.delete(peer);
          this.#tellPeers();
          for (const checks of held.values()) this.#counters.leave(checks);
          held.clear();
        },
      ),
    };
    this.#peers.add(peer);
    for (const message of stateMessages(this.#counters)) peer.wire.send(message);
    this.#tellPeers();
  }

  #tellPeers(): void {
    for (const { wire } of this.#peers) wire.send({ what: 'peers', count: this.#peers.size });
  }

  #answer(peer: Peer, message: CounterMessage): void {
    switch (message.what) {
      case 'admit':
        if (this.#early) this.#early.push(() => this.#admit(peer, message.id, message.checks));
        else this.#admit(peer, message.id, message.checks);
        return;
      case 'hold':
        if (peer.held.has(message.id)) return;
        peer.held.set(message.id, message.checks);
        return this.#counters.hold(message.checks);
      case 'leave': {
        const checks = peer.held.get(message.id);
        peer.held.delete(message.id);
        if (checks) this.#counters.leave(checks);
        return;
      }
      case 'bytes':
        this.#counters.addBytes(message.key, message.bytes);
        return this.touch([message]);
      case 'states':
        learnStates(this.#counters, message);
        peer.told = true;
        this.#onPeer?.();
        return this.touch(message.states);
      case 'note':
        this.onNote?.(message.note);
        return this.tell(message.note, peer);
      case 'proof': {
        const use = this.onProof(message.name, message.source);
        if (message.id > 0) peer.wire.send({ what: 'use', id: message.id, use });
        return;
      }
      case 'use':
      case 'verdict':
      case 'peers':
        return; // only a hub says this
    }
  }

  #admit(peer: Peer, id: number, checks: readonly LimitCheck[]): void {
    if (!this.#peers.has(peer)) return; // it ended while its call waited
    const admission = this.#counters.decide(checks);
    const places = !admission.refused && checks.some(({ concurrency }) => concurrency !== null);
    if (places) peer.held.set(id, checks);
    const states = checks.map(({ key }) => this.#counters.state(key));
    peer.wire.send({ what: 'verdict', id, admission, states });
    this.touch(checks);
  }

  /** Passes a note on to every process but the one that it came from. */
  tell(note: BudgetNote, from?: Peer): void {
    for (const peer of this.#peers) if (peer !== from) peer.wire.send({ what: 'note', note });
  }

  /** Tells every process how far the keys are, so that any of them can go on from there. */
  #share(): void {
    this.#sharing = undefined;
    const messages = [...stateMessages(this.#counters, this.#changed)];
    this.#changed.clear();
    for (const { wire } of this.#peers) {
      for (const message of messages) wire.send(message);
      wire.flush();
    }
  }

  /** Hands over what it knows and ends. */
  async close(): Promise<void> {
    clearTimeout(this.#sharing);
    this.#share();
    for (const { wire } of this.#peers) wire.end();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      setTimeout(() => {
        for (const { wire } of this.#peers) wire.destroy();
      }, SHARE_MS).unref();
    });
  }
}
