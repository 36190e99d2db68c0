import { confirmationInput, listContractClocks, listContracts, loadContract } from '@cordon/vendors';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { idParameter } from './estate-bodies.ts';
import { clockBody, contractBody, UPLOAD_BODY_BYTES_MAX, uploadBody, uploadOf } from './vendor-bodies.ts';
import type { VendorRouteDeps } from './vendor-routes.ts';

const tags = ['contracts'];
const read = { permission: 'vendor.read' } as const;
const write = { permission: 'vendor.write' } as const;

type Contract = Awaited<ReturnType<typeof loadContract>>;
type Body = z.output<typeof contractBody>;
/** The same, in the mutable arrays that the serializer's types ask for. */
const plain = (contract: Contract): Body => structuredClone(contract) as unknown as Body;

export function addContractRoutes(server: ApiServer, { db, vendors }: VendorRouteDeps): void {
  server.get(
    '/api/v1/vendors/:id/contracts',
    {
      config: read,
      schema: { tags, params: idParameter, response: { 200: z.object({ items: z.array(contractBody) }) } },
    },
    async (request) => ({ items: (await listContracts(db, request.params.id)).map(plain) }),
  );
  server.post(
    '/api/v1/vendors/:id/contracts',
    {
      config: write,
      bodyLimit: UPLOAD_BODY_BYTES_MAX,
      schema: { tags, params: idParameter, body: uploadBody, response: { 201: contractBody } },
    },
    async (request, reply) =>
      reply
        .status(201)
        .send(plain(await vendors.contracts.add(actorOf(request), request.params.id, uploadOf(request.body)))),
  );
  server.get(
    '/api/v1/contracts/:id',
    { config: read, schema: { tags, params: idParameter, response: { 200: contractBody } } },
    async (request) => plain(await loadContract(db, request.params.id)),
  );
  server.put(
    '/api/v1/contracts/:id/clauses/:clauseId',
    {
      config: write,
      schema: {
        tags,
        params: idParameter.extend({ clauseId: z.string().max(60) }),
        body: confirmationInput,
        response: { 200: contractBody },
      },
    },
    async (request) => {
      const { id, clauseId } = request.params;
      return plain(await vendors.contracts.confirm(actorOf(request), id, clauseId, request.body));
    },
  );
  const row = clockBody.extend({
    vendorId: z.string(),
    contractId: z.string(),
    title: z.string(),
    isConfirmed: z.boolean(),
  });
  server.get(
    '/api/v1/contract-clocks',
    {
      config: read,
      schema: {
        tags,
        querystring: z.object({ vendorId: z.uuid().optional() }),
        response: { 200: z.object({ items: z.array(row) }) },
      },
    },
    async (request) => ({ items: await listContractClocks(db, request.query.vendorId) }),
  );
}
