import { hashSecret } from '../token-secret.ts';

export const AGENT_CHARS_MAX = 256;

/** The User-Agent as it is kept and shown. */
export function trimAgent(agent: string | undefined): string {
  // Control characters would let a client draw in a terminal that lists sessions.
  return (agent ?? '').replace(/\p{Cc}/gu, ' ').slice(0, AGENT_CHARS_MAX);
}

/** What a session is bound to: the browser and its system without version numbers, which move during a session. */
export function agentKey(agent: string): Buffer {
  return hashSecret(`agent:${agent.replace(/\d+/g, '0').replace(/(?:0[._])+0/g, '0')}`);
}
