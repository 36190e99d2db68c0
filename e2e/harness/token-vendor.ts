import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A SaaS tool whose refresh tokens are good once and whose tokens can be revoked: what races show up at. */
export interface TokenVendor {
  readonly url: string;
  readonly description: string;
  readonly minted: () => number;
  /** Refresh tokens that came a second time: a real vendor ends the whole family then (RFC 9700, section 4.14.2). */
  readonly reused: () => number;
  readonly unauthorized: () => number;
  /** Ends every access token that was minted so far. */
  revokeAll(): void;
  /** Static keys that are taken as well. */
  readonly keys: Set<string>;
  stop(): Promise<void>;
}

const DESCRIPTION = {
  openapi: '3.1.0',
  info: { title: 'Notes', version: '1' },
  paths: {
    '/notes/{id}': {
      get: {
        operationId: 'notes.get',
        parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
        responses: { 200: { description: 'a note' } },
      },
    },
  },
};

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text;
}

export async function startTokenVendor(): Promise<TokenVendor> {
  let [minted, reused, unauthorized] = [0, 0, 0];
  let refreshToken = 'refresh-token-0';
  const live = new Set<string>();
  const keys = new Set<string>();
  const server = createServer((request, response) => {
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    void readText(request).then((body) => {
      if (request.url === '/token') {
        if (new URLSearchParams(body).get('refresh_token') !== refreshToken) {
          reused += 1;
          return answer(400, { error: 'invalid_grant' });
        }
        minted += 1;
        refreshToken = `refresh-token-${minted}`;
        const token = `access-token-${minted}-of-the-vendor`;
        live.add(token);
        return answer(200, {
          access_token: token,
          expires_in: 3600,
          refresh_token: refreshToken,
          token_type: 'bearer',
        });
      }
      const token = (request.headers.authorization ?? '').replace('Bearer ', '');
      if (live.has(token) || keys.has(token)) return answer(200, { id: request.url, text: 'a note' });
      unauthorized += 1;
      return answer(401, { error: 'invalid_token' });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return {
    url: `http://127.0.0.1:${port}`,
    description: JSON.stringify(DESCRIPTION),
    minted: () => minted,
    reused: () => reused,
    unauthorized: () => unauthorized,
    revokeAll: () => live.clear(),
    keys,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
