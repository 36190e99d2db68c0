import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Calls of one connection that may wait for those before them; a client that sends more has lost its way. */
const WAITING_MAX = 64;

type Run = (request: IncomingMessage, response: ServerResponse) => void;

interface Connection {
  request: IncomingMessage;
  response: ServerResponse;
  waiting: number;
}

/**
 * Runs the calls of a connection one after another: RFC 9112, section 9.3.2, lets a server process pipelined calls side
 * by side only when all are safe, and a client may rely on its writes being done in the order in which it sent them.
 */
export class CallOrder {
  readonly #connections = new WeakMap<Duplex, Connection>();

  /** Runs a call now, or as soon as the one before it on its connection is answered. */
  admit(request: IncomingMessage, response: ServerResponse, run: Run): void {
    const { socket } = request;
    const known = this.#connections.get(socket);
    if (known) {
      known.request = request;
      known.response = response;
    } else this.#connections.set(socket, { request, response, waiting: 0 });
    // Node gives a response its socket when those before it are done.
    if (response.socket !== null || !known) return run(request, response);
    if (known.waiting >= WAITING_MAX) return void socket.destroy();
    known.waiting += 1;
    response.once('socket', () => {
      known.waiting -= 1;
      process.nextTick(() => {
        if (!socket.destroyed) run(request, response);
      });
    });
  }

  /**
   * Runs `answer` when nothing else can be taken for it: after the answers of calls that came in whole. A call that was
   * cut short gets no other answer; where it has begun to get one, the connection is cut.
   */
  afterCalls(socket: Duplex, answer: () => void): void {
    const last = this.#connections.get(socket);
    if (!last || last.response.writableFinished || last.response.destroyed) return answer();
    if (last.request.complete) {
      last.response.once('close', answer);
      return;
    }
    if (last.response.headersSent) socket.destroy();
    else answer();
  }
}
