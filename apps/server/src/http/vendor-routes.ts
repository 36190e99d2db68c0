import type { Database, SecretEnvelope } from '@cordon/kernel';
import {
  concentrate,
  type FileReader,
  listDependences,
  listFiles,
  listSubprocessors,
  listTasks,
  listVendors,
  loadVendor,
  openFile,
  STAGES,
  vendorInput,
  vendorPatch,
  type Vendors,
} from '@cordon/vendors';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';
import {
  fileBody,
  fourthPartyBody,
  subprocessorBody,
  taskBody,
  UPLOAD_BODY_BYTES_MAX,
  uploadBody,
  uploadOf,
  vendorBody,
} from './vendor-bodies.ts';

export interface VendorRouteDeps {
  readonly db: Database;
  readonly vendors: Vendors;
  readonly vendorFiles: FileReader;
  readonly vendorEnvelope: SecretEnvelope;
}

const tags = ['vendors'];
const read = { permission: 'vendor.read' } as const;
const write = { permission: 'vendor.write' } as const;
const reason = z.strictObject({ reason: z.string().min(1).max(500) });

/** Sends bytes that somebody uploaded so that no browser shows or runs them. */
export async function sendFile(reply: FastifyReply, name: string, bytes: Uint8Array): Promise<void> {
  const plain = name.replaceAll(/[^\w.-]/g, '_');
  await reply
    .header('content-type', 'application/octet-stream')
    .header('content-disposition', `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`)
    .header('content-security-policy', "sandbox; default-src 'none'")
    .send(Buffer.from(bytes));
}

async function describeVendor(db: Database, id: string) {
  const [vendor, subprocessors, tasks, files] = await Promise.all([
    loadVendor(db, id),
    listSubprocessors(db, id),
    listTasks(db, id),
    listFiles(db, id),
  ]);
  return { ...vendor, appIds: [...vendor.appIds], subprocessors, tasks, files };
}

const wide = vendorBody.extend({
  subprocessors: z.array(subprocessorBody),
  tasks: z.array(taskBody),
  files: z.array(fileBody),
});
const plainVendor = <Vendor extends { readonly appIds: readonly string[] }>(vendor: Vendor) => ({
  ...vendor,
  appIds: [...vendor.appIds],
});

function addRegister(server: ApiServer, { db, vendors }: VendorRouteDeps): void {
  const { register } = vendors;
  server.get(
    '/api/v1/vendors',
    { config: read, schema: { tags, response: { 200: z.object({ items: z.array(vendorBody) }) } } },
    async () => ({ items: (await listVendors(db)).map(plainVendor) }),
  );
  server.post(
    '/api/v1/vendors',
    { config: write, schema: { tags, body: vendorInput, response: { 201: vendorBody } } },
    async (request, reply) =>
      reply.status(201).send(plainVendor(await register.create(actorOf(request), request.body))),
  );
  server.post(
    '/api/v1/vendors/adopt',
    { config: write, schema: { tags, response: { 200: z.object({ created: z.int(), linked: z.int() }) } } },
    async (request) => register.adoptApps(actorOf(request)),
  );
  server.post(
    '/api/v1/vendors/import',
    {
      config: write,
      schema: {
        tags,
        body: z.strictObject({ vendors: z.array(vendorInput).max(2_000) }),
        response: { 200: z.object({ created: z.int(), existing: z.array(z.string()) }) },
      },
    },
    async (request) => {
      const { created, existing } = await register.importList(actorOf(request), request.body.vendors);
      return { created, existing: [...existing] };
    },
  );
  server.get(
    '/api/v1/vendors/:id',
    { config: read, schema: { tags, params: idParameter, response: { 200: wide } } },
    async (request) => describeVendor(db, request.params.id),
  );
  server.patch(
    '/api/v1/vendors/:id',
    { config: write, schema: { tags, params: idParameter, body: vendorPatch, response: { 200: vendorBody } } },
    async (request) => plainVendor(await register.update(actorOf(request), request.params.id, request.body)),
  );
  server.get(
    '/api/v1/fourth-parties',
    { config: read, schema: { tags, response: { 200: z.object({ items: z.array(fourthPartyBody) }) } } },
    async () => ({
      items: concentrate(await listDependences(db)).map((one) => ({
        ...one,
        countries: [...one.countries],
        vendors: [...one.vendors],
      })),
    }),
  );
}

function addLifecycle(server: ApiServer, { db, vendors }: VendorRouteDeps): void {
  const { register } = vendors;
  server.post(
    '/api/v1/vendors/:id/stage',
    {
      config: write,
      schema: {
        tags,
        params: idParameter,
        body: reason.extend({ stage: z.enum(STAGES) }),
        response: { 200: vendorBody },
      },
    },
    async (request) => {
      const { stage, reason: why } = request.body;
      return plainVendor(await register.moveTo(actorOf(request), request.params.id, stage, why));
    },
  );
  server.post(
    '/api/v1/vendors/:id/offboard',
    { config: write, schema: { tags, params: idParameter, body: reason, response: { 200: wide } } },
    async (request) => {
      await register.offboard(actorOf(request), request.params.id, request.body.reason);
      return describeVendor(db, request.params.id);
    },
  );
  server.post(
    '/api/v1/vendors/:id/tasks/:taskId/done',
    {
      config: write,
      schema: {
        tags,
        params: idParameter.extend({ taskId: z.uuid() }),
        body: z.strictObject({ note: z.string().min(1).max(500) }),
        response: { 200: wide },
      },
    },
    async (request) => {
      const { id, taskId } = request.params;
      await register.finishTask(actorOf(request), id, taskId, request.body.note);
      return describeVendor(db, id);
    },
  );
  server.put(
    '/api/v1/vendors/:id/security-txt',
    {
      config: write,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ text: z.string().max(100_000) }),
        response: { 200: vendorBody },
      },
    },
    async (request) =>
      plainVendor(await register.setSecurityTxt(actorOf(request), request.params.id, request.body.text)),
  );
}

function addFiles(server: ApiServer, { db, vendors, vendorEnvelope }: VendorRouteDeps): void {
  const bodyLimit = UPLOAD_BODY_BYTES_MAX;
  server.put(
    '/api/v1/vendors/:id/subprocessors',
    { config: write, bodyLimit, schema: { tags, params: idParameter, body: uploadBody, response: { 200: wide } } },
    async (request) => {
      await vendors.register.setSubprocessors(actorOf(request), request.params.id, uploadOf(request.body));
      return describeVendor(db, request.params.id);
    },
  );
  server.post(
    '/api/v1/vendors/:id/files',
    { config: write, bodyLimit, schema: { tags, params: idParameter, body: uploadBody, response: { 201: fileBody } } },
    async (request, reply) =>
      reply
        .status(201)
        .send(await vendors.register.addFile(actorOf(request), request.params.id, uploadOf(request.body))),
  );
  server.get(
    '/api/v1/vendors/:id/files/:fileId/content',
    { config: read, schema: { tags, params: idParameter.extend({ fileId: z.uuid() }) } },
    async (request, reply) => {
      const { name, bytes } = await openFile(db, vendorEnvelope, request.params.id, request.params.fileId);
      return sendFile(reply, name, bytes);
    },
  );
}

export function addVendorRoutes(server: ApiServer, deps: VendorRouteDeps): void {
  addRegister(server, deps);
  addLifecycle(server, deps);
  addFiles(server, deps);
}
