import {
  AuthenticationHandler,
  Client,
  type Context,
  type Middleware,
  TelemetryHandler,
} from '@microsoft/microsoft-graph-client';
import type { Wire } from './wire.ts';

/**
 * Microsoft's Graph client, pointed at a TLS listener of the gateway. It sends its token only over https and only to
 * Microsoft's hosts or those named in `customHosts`, and `@odata.nextLink` must be https, too, or it is taken for a path.
 * Its retry handler is left out, so that a refusal is seen at once.
 */
export function graphClient(gatewayUrl: string, token: () => Promise<string>, wire: Wire): Client {
  const transport: Middleware = {
    execute: async (context: Context) => {
      context.response = await wire.fetch(context.request, context.options);
    },
  };
  const authentication = new AuthenticationHandler({ getAccessToken: token });
  const telemetry = new TelemetryHandler();
  authentication.setNext(telemetry);
  telemetry.setNext(transport);
  return Client.initWithMiddleware({
    middleware: authentication,
    baseUrl: gatewayUrl,
    defaultVersion: 'v1.0',
    customHosts: new Set([new URL(gatewayUrl).hostname]),
  });
}
