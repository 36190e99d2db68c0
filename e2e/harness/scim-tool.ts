import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import SCIMMY from 'scimmy';
import { SCIMMYRouters } from 'scimmy-routers';

type Held = Record<string, unknown> & { id: string };

/** A tool with a SCIM server that isn't ours: SCIMMY behind express, its accounts in memory. */
export interface ScimTool {
  readonly url: string;
  readonly token: string;
  readonly users: Map<string, Held>;
  readonly groups: Map<string, Held>;
  /** Method and path of every request, oldest first. */
  readonly requests: string[];
  stop(): Promise<void>;
}

const TOKEN = 'tool-secret-token';

interface Asked {
  readonly id?: string | undefined;
  readonly filter?: { match(all: Held[]): Held[] } | undefined;
}
type User = InstanceType<typeof SCIMMY.Schemas.User>;
type Group = InstanceType<typeof SCIMMY.Schemas.Group>;
const missing = (): Error => new SCIMMY.Types.Error(404, '', 'There is no such resource.');

/** Keeps what SCIMMY hands over, as an application's own database would. */
function hold(map: Map<string, Held>, unique: string) {
  const nameOf = (one: Record<string, unknown>): string => JSON.stringify(one[unique] ?? null).toLowerCase();
  return {
    read({ id, filter }: Asked): Held | Held[] {
      if (id === undefined) return filter ? filter.match([...map.values()]) : [...map.values()];
      const found = map.get(id);
      if (!found) throw missing();
      return found;
    },
    write({ id }: Asked, data: object): Held {
      const given: Record<string, unknown> = { ...data };
      const others = [...map.values()].filter((one) => one.id !== id);
      if (others.some((one) => nameOf(one) === nameOf(given))) {
        throw new SCIMMY.Types.Error(409, 'uniqueness', `${unique} is taken`);
      }
      if (id !== undefined && !map.has(id)) throw missing();
      const plain = JSON.parse(JSON.stringify(given)) as Record<string, unknown>; // what was just an object
      const held = { ...plain, id: id ?? randomUUID() };
      map.set(held.id, held);
      return held;
    },
    remove({ id }: Asked): void {
      if (id === undefined || !map.delete(id)) throw missing();
    },
  };
}

export async function startScimTool(): Promise<ScimTool> {
  const users = new Map<string, Held>();
  const groups = new Map<string, Held>();
  const [ofUsers, ofGroups] = [hold(users, 'userName'), hold(groups, 'displayName')];
  // SCIMMY checks itself what it is handed against its schema.
  SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false))
    .egress((resource) => ofUsers.read(resource) as unknown as User)
    .ingress((resource, data) => ofUsers.write(resource, data) as unknown as User)
    .degress((resource) => ofUsers.remove(resource));
  SCIMMY.Resources.declare(SCIMMY.Resources.Group)
    .egress((resource) => ofGroups.read(resource) as unknown as Group)
    .ingress((resource, data) => ofGroups.write(resource, data) as unknown as Group)
    .degress((resource) => ofGroups.remove(resource));
  const requests: string[] = [];
  const app = express();
  app.use((request, _response, next) => {
    requests.push(`${request.method} ${request.path}`);
    next();
  });
  app.use(
    '/scim/v2',
    new SCIMMYRouters({
      type: 'bearer',
      handler: (request) => {
        if (request.header('authorization') !== `Bearer ${TOKEN}`) throw new Error('The token is wrong');
        return 'cordon';
      },
    }),
  );
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listening on TCP
  return {
    url: `http://127.0.0.1:${port}/scim/v2`,
    token: TOKEN,
    users,
    groups,
    requests,
    async stop() {
      server.closeAllConnections();
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
