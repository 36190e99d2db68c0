import { Refusal } from './errors.ts';
import type { Exchange } from './exchange.ts';

const leaked = (where: string): Refusal =>
  new Refusal(
    'gateway.token_leaked',
    `The ${where} holds the access token itself, which must not reach the vendor. Send it in Authorization only.`,
  );

/** RFC 6750 and its copies in vendors' SDKs: places where a token travels beside Authorization. */
export function keepToken(exchange: Exchange, name: string, value: string): void {
  if (exchange.tokenText !== undefined && value.includes(exchange.tokenText)) throw leaked(`field ${name}`);
}

/** Refuses a call whose path, query or held body carries the caller's own token. */
export function checkLeaks(exchange: Exchange): void {
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
