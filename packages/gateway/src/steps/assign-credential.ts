import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import { connectionOptions, isForwarded, readableEncodings, VIA } from '../headers.ts';
import { withoutParameter } from '../presented-token.ts';

const leaked = (where: string): Refusal =>
  new Refusal(
    'gateway.token_leaked',
    `The ${where} holds the access token itself, which must not reach the vendor. Send it in Authorization only.`,
  );

/** RFC 6750 and its copies in vendors' SDKs: places where a token travels beside Authorization. */
function keepToken(exchange: Exchange, name: string, value: string): void {
  if (exchange.tokenText !== undefined && value.includes(exchange.tokenText)) throw leaked(`field ${name}`);
}

/**
 * Builds the fields that the upstream gets: the client's, less what concerns only this hop, less every trace of its
 * token; then the vendor's credential.
 */
export function assignCredential(exchange: Exchange): void {
  const { request, app, target, runtime } = exchange;
  const attachment = runtime.credentials.attachment(app.entry, exchange.startedAt);
  const raw = request.rawHeaders;
  const hop = connectionOptions(request.headers.connection);
  const headers: string[] = ['host', target.host];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!;
    const lower = name.toLowerCase();
    if (!isForwarded(lower, hop) || lower === exchange.tokenHeader || lower === attachment?.name) continue;
    // A held body goes on decoded; parts of a body can't be inspected as the whole can.
    if (lower === 'content-encoding' && exchange.requestBody !== undefined) continue;
    if (lower === 'range' || lower === 'if-range') continue;
    const value = raw[index + 1]!;
    keepToken(exchange, name, value);
    headers.push(name, value);
  }
  const { headers: fields } = request;
  headers.push('accept-encoding', readableEncodings(fields['accept-encoding']), 'via', VIA);
  if (exchange.requestStream && fields['content-length'] !== undefined)
    headers.push('content-length', fields['content-length']);
  if (attachment?.place === 'header') headers.push(attachment.name, attachment.value);
  checkLeaks(exchange);
  if (attachment?.place === 'query') {
    const path = withoutParameter(exchange.path, attachment.name);
    const glue = path.includes('?') ? '&' : '?';
    exchange.path = `${path}${glue}${encodeURIComponent(attachment.name)}=${encodeURIComponent(attachment.value)}`;
  }
  exchange.credentialHeaders = headers;
}

function checkLeaks(exchange: Exchange): void {
  const token = exchange.tokenText;
  if (token === undefined) return;
  const { path } = exchange;
  if (path.includes(token) || (path.includes('%') && decodesTo(path, token))) throw leaked('path or query');
  if (exchange.requestBody?.includes(token)) throw leaked('body');
}

function decodesTo(path: string, token: string): boolean {
  try {
    return decodeURIComponent(path.replaceAll('+', ' ')).includes(token);
  } catch {
    return false;
  }
}
