import { z } from 'zod';
import { CordonCallFailed } from './errors.ts';
import { drillSchema } from './live-fire.ts';

const CALL_MS_MAX = 30_000;

/** What a live fire in the estate needs of Cordon, over its public API. */
export interface DrillClient {
  /** Says that an app is an emulator, and which read of it the drill is granted. */
  mark(target: { app: string; operation: string; path: string; reason: string }): Promise<void>;
  /** The chat channel that playbooks tell; what a drill writes to it is held back. */
  addChannel(name: string, url: string): Promise<void>;
  /** Plans and begins; answers the drill's id. The drill itself approves the playbook. */
  begin(scenario: string, target: string): Promise<string>;
  look(id: string): Promise<z.output<typeof drillSchema>>;
}

export function createDrillClient(options: { readonly controlUrl: string; readonly adminToken: string }): DrillClient {
  const send = async <T>(method: string, path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> => {
    const answer = await fetch(`${options.controlUrl}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${options.adminToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_MS_MAX),
    });
    if (!answer.ok)
      throw new CordonCallFailed(`${method} ${path} was answered with ${answer.status}`, { status: answer.status });
    return schema.parse(await answer.json());
  };
  return {
    mark: async (target) => {
      await send('PUT', '/drill-targets', z.looseObject({ app: z.string() }), target);
    },
    addChannel: async (name, url) => {
      const channel = { kind: 'chat', name, url, privateAddresses: ['127.0.0.1'] };
      await send('POST', '/channels', z.unknown(), channel);
    },
    begin: async (scenario, target) => {
      const body = { scenario, target, mode: 'live-fire', decide: 'drill' };
      const { id } = await send('POST', '/drills', drillSchema, body);
      await send('POST', `/drills/${id}/start`, drillSchema);
      return id;
    },
    look: (id) => send('GET', `/drills/${id}`, drillSchema),
  };
}
