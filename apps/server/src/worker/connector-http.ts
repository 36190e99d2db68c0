import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { ToolFailed, type HttpPort, type ToolAnswer, type ToolRequest } from '@cordon/connectors';
import { checkLiteralHost, guardedLookup } from '@cordon/gateway';

const SOCKETS_MAX = 4;
const IDLE_MS = 30_000;

function readAnswer(response: IncomingMessage, bytesMax: number): Promise<ToolAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bytesMax) chunks.push(chunk);
      else response.destroy(new ToolFailed(`The tool answered with more than ${bytesMax} bytes.`));
    });
    response.on('error', reject);
    response.on('end', () => {
      const headers = Object.entries(response.headers).map(
        ([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')] as const,
      );
      resolve({
        status: response.statusCode ?? 0,
        headers: Object.fromEntries(headers),
        body: Buffer.concat(chunks),
      });
    });
  });
}

/**
 * Reaches one tool. Connects only where the gateway's egress guard lets it, follows no redirect, speaks plain http only
 * to addresses that an administrator named, and ends a call at its time and size.
 */
export function createConnectorHttp(privateAddresses: readonly string[]): HttpPort {
  const options = { keepAlive: true, maxSockets: SOCKETS_MAX, timeout: IDLE_MS };
  const [plain, secure] = [new HttpAgent(options), new HttpsAgent(options)];
  const lookup = guardedLookup(privateAddresses);

  const send = (asked: ToolRequest): Promise<ToolAnswer> => {
    const url = new URL(asked.url);
    checkLiteralHost(url.hostname, privateAddresses);
    const isPlain = url.protocol === 'http:';
    if (isPlain && !privateAddresses.includes(url.hostname.replace(/^\[|\]$/g, ''))) {
      throw new ToolFailed(`${url.origin} is not encrypted; http is allowed only to a private address that is listed.`);
    }
    const body = asked.body === undefined ? undefined : Buffer.from(asked.body);
    return new Promise((resolve, reject) => {
      const request = (isPlain ? httpRequest : httpsRequest)(url, {
        agent: isPlain ? plain : secure,
        lookup,
        method: asked.method,
        headers: {
          'user-agent': 'Cordon',
          'accept-encoding': 'identity',
          ...asked.headers,
          ...(body === undefined ? {} : { 'content-length': body.length }),
        },
        signal: AbortSignal.timeout(asked.timeoutMs),
      });
      request.on('error', reject);
      request.on('response', (response) => {
        readAnswer(response, asked.bytesMax).then(resolve, reject);
      });
      request.end(body);
    });
  };
  return { send: async (request) => send(request) };
}
