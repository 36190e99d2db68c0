import type { Attachment } from '../credential-box.ts';
import type { Exchange } from '../exchange.ts';
import { connectionOptions, isForwarded, readableEncodings, VIA } from '../headers.ts';
import { withoutParameter } from '../presented-token.ts';
import { keepToken } from '../token-leak.ts';
import { addFormField, AWS_FIELDS, signCall } from '../vendor-signature.ts';

/** A stream of events is inspected event by event, which a content coding would prevent. */
function wantsEvents(accept: string | undefined): boolean {
  return accept !== undefined && accept.includes('text/event-stream');
}

/** Whether a field of the client's gives way to what is attached. */
function replaces(attachment: Attachment | undefined, name: string): boolean {
  if (attachment?.place === 'header') return attachment.name === name;
  return attachment?.place === 'aws' && AWS_FIELDS.has(name);
}

/**
 * Builds the fields that the upstream gets: the client's, less what concerns only this hop, less every trace of its
 * token; then the vendor's credential.
 */
export function assignCredential(exchange: Exchange): void {
  const { request, app, target, runtime } = exchange;
  const { id } = app.entry;
  exchange.credential ??= exchange.tables!.credential(app.entry, exchange.caller.integration.id); // set by accept
  const attachment = runtime.credentials.attachment(id, exchange.credential, runtime.clock.now());
  const raw = request.rawHeaders;
  const hop = connectionOptions(request.headers.connection);
  const headers: string[] = ['host', target.host];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!;
    const lower = exchange.fieldNames[index >> 1]!;
    if (!isForwarded(lower, hop) || lower === exchange.tokenHeader || replaces(attachment, lower)) continue;
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
  if (attachment?.place === 'form') addFormField(exchange, attachment.name, attachment.value);
  if (attachment?.place === 'aws') signCall(exchange, headers, attachment);
  exchange.credentialHeaders = headers;
}
