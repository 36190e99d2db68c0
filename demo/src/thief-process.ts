import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { z } from 'zod';

const CALL_MS_MAX = 2_000;
const PAUSE_MS = 10;
const RUN_MS_MAX = 30_000;

const ordersSchema = z.object({
  urls: z.array(z.url()).min(1),
  token: z.string(),
  ca: z.string().optional(),
});

/** One call on a connection of its own, so that every process behind a shared port gets its turn. */
function call(url: string, token: string, ca: string | undefined): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    const options = { agent: false as const, headers: { authorization: `Bearer ${token}` }, timeout: CALL_MS_MAX };
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const req = send(url, ca === undefined ? options : { ...options, ca }, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => (body += chunk));
      res.on('end', () => resolve({ status: res.statusCode ?? 0, body }));
      res.on('error', () => resolve({ status: 0, body: '' }));
    });
    req.on('timeout', () => req.destroy());
    req.on('error', () => resolve({ status: 0, body: '' }));
    req.end();
  });
}

const detailSchema = z.looseObject({ detail: z.string() });

function reasonIn(body: string): string {
  try {
    return detailSchema.parse(JSON.parse(body)).detail;
  } catch {
    return '';
  }
}

async function steal(url: string, token: string, ca: string | undefined, until: number): Promise<void> {
  while (process.connected && Date.now() < until) {
    const at = Date.now();
    const { status, body } = await call(url, token, ca);
    process.send?.({ url, status, at, reason: status >= 400 ? reasonIn(body) : '' });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

process.once('message', (message: unknown) => {
  const { urls, token, ca } = ordersSchema.parse(message);
  const until = Date.now() + RUN_MS_MAX;
  Promise.all(urls.map((url) => steal(url, token, ca, until))).then(
    () => process.exit(0),
    () => process.exit(1),
  );
});
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
