import type { Database } from '@cordon/kernel';
import {
  ACTS,
  type DateCommands,
  GROUP_ACTS,
  ITEM_STATES,
  listDates,
  listGroupItems,
  listItems,
  listProvisionRuns,
  listProvisionTargets,
  loadProvisionRun,
  mappingSchema,
  PROVISION_RUNS_MAX,
  type ProvisionCommands,
  targetChange,
  targetInput,
} from '@cordon/lifecycle';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';

export interface ProvisioningRouteDeps {
  readonly db: Database;
  readonly provisioning: {
    readonly commands: ProvisionCommands;
    readonly dates: DateCommands;
    /** @throws when there is no such person. */
    readonly findPerson: (id: string) => Promise<{ readonly id: string; readonly name: string }>;
  };
}

const tags = ['provisioning'];
const read = { config: { permission: 'person.read' } } as const;
const write = { config: { permission: 'person.write' } } as const;
const scalar = z.union([z.string(), z.boolean()]);

/** The token is never given back. */
const targetBody = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(['scim', 'task']),
  baseUrl: z.string().nullable(),
  privateAddresses: z.array(z.string()).readonly(),
  mapping: mappingSchema,
  groups: z.array(z.string()).readonly(),
  /** Groups that are pushed themselves. */
  pushGroups: z.array(z.string()).readonly(),
  onLeave: z.enum(['deactivate', 'delete']),
  requestsPerS: z.int(),
  leaversMax: z.int(),
  paused: z.boolean(),
  checkedAt: z.int().nullable(),
  createdAt: z.int(),
  updatedAt: z.int(),
});

const counts = z.object({
  planned: z.int(),
  waiting: z.int(),
  done: z.int(),
  nothing: z.int(),
  task: z.int(),
  failed: z.int(),
});

const runBody = z.object({
  id: z.string(),
  targetId: z.string(),
  targetName: z.string(),
  mode: z.enum(['preview', 'push']),
  reason: z.string(),
  startedBy: z.string(),
  startedAt: z.int(),
  plannedAt: z.int().nullable(),
  /** Accounts there that Cordon doesn't answer for. */
  unmanaged: z.int().nullable(),
  endedAt: z.int().nullable(),
  error: z.string().nullable(),
  counts,
});

const differences = z
  .array(
    z.object({
      path: z.string(),
      wanted: scalar.nullable(),
      found: scalar.nullable(),
      /** `there`: the target was changed behind Cordon's back; that is drift. */
      changed: z.enum(['here', 'there']),
    }),
  )
  .readonly();
const settled = { state: z.enum(ITEM_STATES), detail: z.string().nullable(), attempts: z.int(), at: z.int() };

const itemBody = z.object({
  personId: z.string(),
  personName: z.string(),
  act: z.enum(ACTS),
  remoteId: z.string().nullable(),
  differences,
  ...settled,
  closedBy: z.string().nullable(),
});
const groupItemBody = z.object({
  groupId: z.string(),
  groupName: z.string(),
  act: z.enum(GROUP_ACTS),
  remoteId: z.string().nullable(),
  /** `displayName`, and `member NAME` with true or false. */
  differences,
  ...settled,
});

const datesBody = z.object({
  personId: z.string(),
  startsAt: z.int().nullable(),
  endsAt: z.int().nullable(),
  endedAt: z.int().nullable(),
  setBy: z.string(),
});

/** Tools that people are pushed to, what was pushed with its evidence, and when people begin and end. */
export function addProvisioningRoutes(server: ApiServer, deps: ProvisioningRouteDeps): void {
  addTargetRoutes(server, deps);
  addRunRoutes(server, deps);
  addDateRoutes(server, deps);
}

function addTargetRoutes(server: ApiServer, { db, provisioning: { commands } }: ProvisioningRouteDeps): void {
  server.get(
    '/api/v1/provisioning/targets',
    { ...read, schema: { tags, response: { 200: z.object({ items: z.array(targetBody) }) } } },
    async () => ({ items: await listProvisionTargets(db) }),
  );
  server.post(
    '/api/v1/provisioning/targets',
    { ...write, schema: { tags, body: targetInput, response: { 201: targetBody } } },
    async (request, reply) => reply.status(201).send(await commands.addTarget(actorOf(request), request.body)),
  );
  server.patch(
    '/api/v1/provisioning/targets/:id',
    { ...write, schema: { tags, params: idParameter, body: targetChange, response: { 200: targetBody } } },
    async (request) => commands.changeTarget(actorOf(request), request.params.id, request.body),
  );
  server.delete(
    '/api/v1/provisioning/targets/:id',
    { ...write, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await commands.removeTarget(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
}

function addRunRoutes(server: ApiServer, { db, provisioning: { commands } }: ProvisioningRouteDeps): void {
  server.get(
    '/api/v1/provisioning/runs',
    {
      ...read,
      schema: {
        tags,
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(PROVISION_RUNS_MAX).default(50),
          target: z.uuid().optional(),
        }),
        response: { 200: z.object({ items: z.array(runBody) }) },
      },
    },
    async ({ query: { limit, target } }) => ({
      items: await listProvisionRuns(db, { limit, ...(target === undefined ? {} : { targetId: target }) }),
    }),
  );
  server.get(
    '/api/v1/provisioning/runs/:id',
    {
      ...read,
      schema: {
        tags,
        params: idParameter,
        response: { 200: z.object({ run: runBody, items: z.array(itemBody), groups: z.array(groupItemBody) }) },
      },
    },
    async ({ params: { id } }) => ({
      run: await loadProvisionRun(db, id),
      items: await listItems(db, id),
      groups: await listGroupItems(db, id),
    }),
  );
  server.post(
    '/api/v1/provisioning/targets/:id/runs',
    {
      ...write,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({
          mode: z.enum(['preview', 'push']),
          reason: z.string().trim().min(3).max(500),
          leaversAllowed: z.int().min(0).max(100_000).optional(),
        }),
        response: { 202: z.object({ runId: z.string() }) },
      },
    },
    async (request, reply) => {
      const { mode, reason, leaversAllowed } = request.body;
      const more = leaversAllowed === undefined ? {} : { leaversAllowed };
      const input = { targetId: request.params.id, mode, reason, ...more };
      return reply.status(202).send(await commands.start(actorOf(request), input));
    },
  );
  server.post(
    '/api/v1/provisioning/runs/:id/tasks',
    {
      config: { permission: 'person.suspend' },
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ person: z.string().min(1).max(100), note: z.string().max(2_000) }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { person, note } = request.body;
      await commands.closeTask(actorOf(request), request.params.id, person, note);
      return reply.status(204).send(null);
    },
  );
}

function addDateRoutes(server: ApiServer, { db, provisioning: { dates, findPerson } }: ProvisioningRouteDeps): void {
  server.get(
    '/api/v1/provisioning/dates',
    { ...read, schema: { tags, response: { 200: z.object({ items: z.array(datesBody) }) } } },
    async () => ({ items: await listDates(db) }),
  );
  server.put(
    '/api/v1/people/:id/dates',
    {
      ...write,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ startsAt: z.int().min(0).nullable(), endsAt: z.int().min(0).nullable() }),
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      await dates.set(actorOf(request), await findPerson(request.params.id), request.body);
      return reply.status(204).send(null);
    },
  );
}
