import type { Exchange } from '../exchange.ts';
import { connectionOptions, isForwarded, readableEncodings, VIA } from '../headers.ts';
import { withoutParameter } from '../presented-token.ts';
import { keepToken } from '../token-leak.ts';

/** A stream of events is inspected event by event, which a content coding would prevent. */
function wantsEvents(accept: string | undefined): boolean {
  return accept !== undefined && accept.includes('text/event-stream');
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
    const lower = exchange.fieldNames[index >> 1]!;
    if (!isForwarded(lower, hop) || lower === exchange.tokenHeader || lower === attachment?.name) continue;
    // A held body goes on decoded; parts of a body can't be inspected as the whole can.
    if (lower === 'content-encoding' && exchange.requestBody !== undefined) continue;
    if (lower === 'range' || lower === 'if-range') continue;
    const value = raw[index + 1]!;
    keepToken(exchange, name, value);
    headers.push(name, value);
  }
  const { headers: fields } = request;
  headers.push(
    'accept-encoding',
    wantsEvents(fields.accept) ? 'identity' : readableEncodings(fields['accept-encoding']),
    'via',
    VIA,
  );
  if (exchange.requestStream && fields['content-length'] !== undefined)
    headers.push('content-length', fields['content-length']);
  if (attachment?.place === 'header') headers.push(attachment.name, attachment.value);
  if (attachment?.place === 'query') {
    const path = withoutParameter(exchange.path, attachment.name);
    const glue = path.includes('?') ? '&' : '?';
    exchange.path = `${path}${glue}${encodeURIComponent(attachment.name)}=${encodeURIComponent(attachment.value)}`;
  }
  exchange.credentialHeaders = headers;
}
