import { z } from 'zod';

const PROBLEM_BYTES_MAX = 64 * 1024;

/** RFC 9457 problem details with the members that Cordon's gateway adds; all optional, as vendors answer otherwise. */
const problemSchema = z.looseObject({
  title: z.string().optional(),
  status: z.number().optional(),
  detail: z.string().optional(),
  code: z.string().optional(),
});
export type WireProblem = z.infer<typeof problemSchema>;

/** One answer as it came over the wire, before an SDK made something of it. */
export interface WireCall {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Of answers from 400 on that carry a JSON object. */
  readonly problem?: WireProblem;
}

export interface Wire {
  /** To be handed to an SDK in place of `fetch`. */
  readonly fetch: typeof globalThis.fetch;
  readonly calls: readonly WireCall[];
  /** How often an address of an upstream itself was seen in headers or bodies: each is a way around the gateway. */
  readonly leaks: number;
}

function urlOf(input: string | URL | Request): string {
  if (input instanceof Request) return input.url;
  return input instanceof URL ? input.href : input;
}

function parseProblem(text: string): WireProblem | undefined {
  try {
    return problemSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * A `fetch` that keeps a note of each answer. SDKs differ in how much of a refusal they let their caller see
 * (Stripe's even resolves one that has no `error` member), so the demonstration looks at the wire.
 */
export function createWire(upstreamOrigins: readonly string[] = []): Wire {
  const calls: WireCall[] = [];
  let leaks = 0;
  const observed = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const response = await fetch(input, init);
    const headers = Object.fromEntries(response.headers);
    const isText = /json|text/.test(headers['content-type'] ?? '');
    const text = isText && (response.status >= 400 || upstreamOrigins.length > 0) ? await response.clone().text() : '';
    const all = `${Object.values(headers).join('\n')}\n${text}`;
    for (const origin of upstreamOrigins) if (all.includes(origin)) leaks += 1;
    const problem = response.status >= 400 ? parseProblem(text.slice(0, PROBLEM_BYTES_MAX)) : undefined;
    calls.push({
      method: init?.method ?? (input instanceof Request ? input.method : 'GET'),
      url: urlOf(input),
      status: response.status,
      headers,
      ...(problem ? { problem } : {}),
    });
    return response;
  };
  return {
    fetch: observed,
    calls,
    get leaks() {
      return leaks;
    },
  };
}
