import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { checkPorts } from './port-check.ts';

test.each([
  ['a port that is shared among processes', { reusePort: true }],
  ['a port that is held alone', {}],
])('%s is noticed, and the setting is named', async (_what, options) => {
  const server = createServer();
  server.listen({ host: '127.0.0.1', port: 0, ...options });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // a TCP server has one
  const use = { host: '127.0.0.1', port, setting: 'CORDON_GATEWAY_PORT' };
  await expect(checkPorts([use])).rejects.toThrow(`port ${port} (CORDON_GATEWAY_PORT) is in use`);
  server.close();
  await once(server, 'close');
  await checkPorts([use, { ...use, port: 0 }]);
});
