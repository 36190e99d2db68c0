import { createHash } from 'node:crypto';
import { Refusal } from '../errors.ts';
import type { Hook } from './hook.ts';

/** Headers with values longer than this are not vendors' event headers. */
const HEADER_CHARS_MAX = 1_024;

function digest(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}

/** What makes two deliveries one. Only a signed id counts by itself: another could be changed on a copy. */
function replayKey(hook: Hook): string {
  const { scheme, replay } = hook.endpoint.plan.entry;
  const byId = hook.vendorId !== '' && (scheme.id?.signed === true || replay === 'vendor-id');
  return byId ? digest('id', hook.vendorId) : digest('content', hook.verified?.contentHash ?? '');
}

function orderKey(hook: Hook): string | null {
  const { order, id } = hook.endpoint.plan.entry;
  if (order === 'none') return null;
  if (order === 'endpoint') return id;
  const value = hook.delivery.read(order, hook.verified?.fields ?? new Map<string, string>());
  // Values may be names of people: the hash orders as well.
  return value === undefined ? null : digest(value);
}

function forwarded(hook: Hook): [string, string][] {
  const found: [string, string][] = [];
  for (const name of hook.endpoint.plan.entry.scheme.forward) {
    const value = hook.delivery.delivery.header(name);
    if (value !== undefined && value.length <= HEADER_CHARS_MAX) found.push([name, value]);
  }
  return found;
}

/**
 * Puts the delivery on disk, sealed, before anything is answered. The worker takes it from there; until it has it, this
 * gateway's disk holds it, also when the process dies.
 */
export async function storeDelivery(hook: Hook): Promise<void> {
  if (hook.answer) return;
  const { gateway, store } = hook.runtime;
  const { plan, rest } = hook.endpoint;
  const head = Buffer.from(JSON.stringify({ headers: forwarded(hook), path: rest }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(head.length);
  const line = JSON.stringify({
    id: hook.id,
    endpointId: plan.entry.id,
    receivedAt: hook.startedAt,
    type: hook.type,
    vendorId: hook.vendorId,
    replayKey: replayKey(hook),
    orderKey: orderKey(hook),
    contentType: hook.request.headers['content-type']?.slice(0, HEADER_CHARS_MAX) ?? '',
    bytes: hook.body.length,
    secretId: hook.verified?.secretId ?? '',
    sealed: gateway.envelope.seal(Buffer.concat([length, head, hook.body]), `webhook-delivery:${hook.id}`),
  });
  try {
    await store(line);
  } catch (error) {
    throw new Refusal('gateway.spool_full', 'The delivery could not be stored. Send it again.', {
      headers: [['Retry-After', '30']],
      cause: error,
    });
  }
  hook.answer = { status: 200, contentType: 'application/json', body: `{"status":"accepted","id":"${hook.id}"}` };
}
