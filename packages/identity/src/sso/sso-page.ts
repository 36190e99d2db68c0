import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SsoMessageInvalid } from '../errors.ts';

const BODY_BYTES_MAX = 512 * 1024;
const SUBMIT = 'document.forms[0].submit()';
const SUBMIT_HASH = createHash('sha256').update(SUBMIT).digest('base64');
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

export function ssoPage(title: string, body: string, next?: string): string {
  const data = next === undefined ? '' : ` data-next="${escapeHtml(next)}"`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><body${data} style="font:16px/1.5 system-ui;max-width:32rem;margin:4rem auto;padding:0 1rem"><h1>${title}</h1>${body}</body></html>`;
}

/** What every answer below /sso carries; a page that submits a form by itself adds its script's hash. */
export function secureHeaders(response: ServerResponse, policy = POLICY): void {
  response.setHeader('content-security-policy', policy);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', 'no-store');
}

export function redirectTo(response: ServerResponse, location: string): void {
  response.writeHead(303, { location }).end();
}

/** `next`: where the page's own script goes on to. */
export function sendPage(response: ServerResponse, status: number, title: string, body: string, next?: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' }).end(ssoPage(title, body, next));
}

/** A form that the browser posts to another site (SAML's POST binding). */
export function sendForm(response: ServerResponse, url: string, fields: Readonly<Record<string, string | null>>): void {
  const inputs = Object.entries(fields)
    .filter((entry): entry is [string, string] => entry[1] !== null)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value)}">`)
    .join('');
  secureHeaders(response, `${POLICY}; script-src 'sha256-${SUBMIT_HASH}'`);
  const form = `<form method="post" action="${escapeHtml(url)}">${inputs}<noscript><button>Continue</button></noscript></form><script>${SUBMIT}</script>`;
  sendPage(response, 200, 'Signing you in', form);
}

/** A form's fields; refused when larger than a signed message ever is, or when a field comes twice. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) throw new SsoMessageInvalid('The message is too large.');
    chunks.push(chunk);
  }
  return onceEach(new URLSearchParams(Buffer.concat(chunks).toString('utf8')));
}

/** Two readers of a field that comes twice may each take another one. */
export function onceEach(fields: URLSearchParams): URLSearchParams {
  if (new Set(fields.keys()).size !== fields.size) throw new SsoMessageInvalid('A field appears twice.');
  return fields;
}
