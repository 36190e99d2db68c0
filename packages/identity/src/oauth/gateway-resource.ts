import type { IdentityContext } from '../context.ts';

/** Whether a resource is an app behind the gateway (`https://gateway.example/github`) or, unless `app`, all of it. */
export async function isGatewayResource(context: IdentityContext, id: string, only?: 'app'): Promise<boolean> {
  const base = context.config.gatewayUrl ?? context.config.publicUrl;
  if (id === base) return only === undefined;
  if (context.config.gatewayUrl === undefined || !id.startsWith(`${base}/`)) return false;
  const name = id.slice(base.length + 1);
  return /^[a-z0-9-]{1,63}$/.test(name) && ((await context.hasApp?.(name)) ?? true);
}
