import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair } from 'jose';

/** What a transmitter and receiver of somebody else's were asked, and what they say next. */
export interface Peer {
  readonly url: string;
  readonly key: CryptoKey;
  readonly pushed: { body: string; authorization: string | undefined; type: string | undefined }[];
  answer: { status: number; body: string };
  sets: Record<string, string>;
  readonly polls: { ack?: string[]; setErrs?: Record<string, { err: string }> }[];
  readonly created: unknown[];
  stop(): void;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** Somebody else's transmitter and receiver in one, made of jose and node:http. */
export async function startPeer(): Promise<Peer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
  const server = createServer((request, response) => {
    void (async () => {
      const body = await readBody(request);
      const json = (status: number, value: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      const { url } = peer;
      if (request.url === '/.well-known/ssf-configuration') {
        json(200, {
          issuer: url,
          jwks_uri: `${url}/jwks`,
          configuration_endpoint: `${url}/stream`,
          verification_endpoint: `${url}/verify`,
        });
      } else if (request.url === '/jwks') json(200, { keys: [jwk] });
      else if (request.url === '/stream') {
        const asked = JSON.parse(body) as { delivery: object };
        peer.created.push(asked);
        json(201, {
          stream_id: 's-1',
          aud: 'https://aud.example',
          delivery: { ...asked.delivery, endpoint_url: `${url}/poll` },
        });
      } else if (request.url === '/verify') json(200, {});
      else if (request.url === '/poll') {
        peer.polls.push(JSON.parse(body) as Peer['polls'][number]);
        const { sets } = peer;
        peer.sets = {};
        json(200, { sets });
      } else {
        const { authorization, 'content-type': type } = request.headers;
        peer.pushed.push({ body, authorization, type });
        response.writeHead(peer.answer.status).end(peer.answer.body);
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // listening on TCP
  const peer: Peer = {
    url,
    key: privateKey,
    pushed: [],
    answer: { status: 202, body: '' },
    sets: {},
    polls: [],
    created: [],
    stop: () => server.close(),
  };
  return peer;
}
