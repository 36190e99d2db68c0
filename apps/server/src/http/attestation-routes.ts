import type { Clock, Database } from '@cordon/kernel';
import {
  type Assurance,
  type Attestation,
  attestationDecision,
  attestationWarnings,
  type Audit,
  auditPlan,
  auditResultInput,
  listAttestations,
  listAudits,
  listRuns,
  listWarnings,
  loadAttestation,
  standingOf,
} from '@cordon/vendors';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import {
  attestationBody,
  attestationKindBody,
  attestationWarningBody,
  auditBody,
  checklistBody,
  plain,
} from './assurance-bodies.ts';
import { idParameter } from './estate-bodies.ts';
import { UPLOAD_BODY_BYTES_MAX, uploadBody, uploadOf } from './vendor-bodies.ts';

export interface AssuranceRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly assurance: Assurance;
}

const read = { permission: 'vendor.read' } as const;
const write = { permission: 'vendor.write' } as const;
const bodyLimit = UPLOAD_BODY_BYTES_MAX;
const nothing = z.null();

type Body = z.output<typeof attestationBody>;

function addAttestations(server: ApiServer, { db, clock, assurance }: AssuranceRouteDeps): void {
  const tags = ['attestations'];
  const { attestations } = assurance;
  const today = (): string => new Date(clock.now()).toISOString().slice(0, 10);
  const show = (one: Attestation): Body => plain({ ...one, standing: standingOf(one, today()) });
  server.get(
    '/api/v1/attestation-kinds',
    { config: read, schema: { tags, response: { 200: z.object({ items: z.array(attestationKindBody) }) } } },
    async () => ({ items: attestations.kinds.map(({ needs, ...kind }) => ({ ...kind, needs: [...needs] })) }),
  );
  server.get(
    '/api/v1/attestation-warnings',
    { config: read, schema: { tags, response: { 200: z.object({ items: z.array(attestationWarningBody) }) } } },
    async () => {
      const byVendor = Map.groupBy(await listAttestations(db), ({ vendorId }) => vendorId);
      const items = [...byVendor.values()].flatMap((all) => attestationWarnings(all, attestations.kinds, today()));
      return { items: plain(items) };
    },
  );
  const list = z.object({ items: z.array(attestationBody), warnings: z.array(attestationWarningBody) });
  server.get(
    '/api/v1/vendors/:id/attestations',
    { config: read, schema: { tags, params: idParameter, response: { 200: list } } },
    async (request) => {
      const all = await listAttestations(db, request.params.id);
      const warnings = plain(attestationWarnings(all, attestations.kinds, today()));
      return { items: all.map(show), warnings };
    },
  );
  server.post(
    '/api/v1/vendors/:id/attestations',
    {
      config: write,
      bodyLimit,
      schema: {
        tags,
        params: idParameter,
        body: uploadBody.extend({ kind: z.string().max(60).optional() }),
        response: { 201: attestationBody },
      },
    },
    async (request, reply) => {
      const { kind, ...file } = request.body;
      return reply
        .status(201)
        .send(show(await attestations.add(actorOf(request), request.params.id, uploadOf(file), kind)));
    },
  );
  server.get(
    '/api/v1/attestations/:id',
    { config: read, schema: { tags, params: idParameter, response: { 200: attestationBody } } },
    async (request) => show(await loadAttestation(db, request.params.id)),
  );
  server.put(
    '/api/v1/attestations/:id/kind',
    {
      config: write,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ kind: z.string().max(60) }),
        response: { 200: attestationBody },
      },
    },
    async (request) => show(await attestations.readAs(actorOf(request), request.params.id, request.body.kind)),
  );
  server.put(
    '/api/v1/attestations/:id/decision',
    {
      config: write,
      schema: { tags, params: idParameter, body: attestationDecision, response: { 200: attestationBody } },
    },
    async (request) => show(await attestations.confirm(actorOf(request), request.params.id, request.body)),
  );
  server.post(
    '/api/v1/attestations/:id/reject',
    {
      config: write,
      schema: {
        tags,
        params: idParameter,
        body: z.strictObject({ reason: z.string().min(3).max(2_000) }),
        response: { 200: attestationBody },
      },
    },
    async (request) => show(await attestations.reject(actorOf(request), request.params.id, request.body.reason)),
  );
}

function addAudits(server: ApiServer, { db, assurance }: AssuranceRouteDeps): void {
  const tags = ['audits'];
  const { audits } = assurance;
  type AuditRow = z.output<typeof auditBody>;
  const show = async (all: readonly Audit[]): Promise<AuditRow[]> => {
    const runs = await listRuns(
      db,
      all.map(({ id }) => id),
    );
    return all.map((audit) => plain({ ...audit, runs: runs.filter(({ auditId }) => auditId === audit.id) }));
  };
  server.get(
    '/api/v1/audit-checklists',
    { config: read, schema: { tags, response: { 200: z.object({ items: z.array(checklistBody) }) } } },
    async () => ({ items: plain(audits.checklists) }),
  );
  server.get(
    '/api/v1/vendors/:id/audits',
    { config: read, schema: { tags, params: idParameter, response: { 200: z.object({ items: z.array(auditBody) }) } } },
    async (request) => ({ items: await show(await listAudits(db, request.params.id)) }),
  );
  server.post(
    '/api/v1/vendors/:id/audits',
    { config: write, schema: { tags, params: idParameter, body: auditPlan, response: { 201: auditBody } } },
    async (request, reply) => {
      const audit = await audits.plan(actorOf(request), request.params.id, request.body);
      return reply.status(201).send(plain({ ...audit, runs: await listRuns(db, [audit.id]) }));
    },
  );
  server.post(
    '/api/v1/audits/:id/end',
    { config: write, schema: { tags, params: idParameter, response: { 204: nothing } } },
    async (request, reply) => {
      await audits.end(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
  const item = idParameter.extend({ itemId: z.string().max(30) });
  server.put(
    '/api/v1/audit-runs/:id/items/:itemId',
    { config: write, schema: { tags, params: item, body: auditResultInput, response: { 204: nothing } } },
    async (request, reply) => {
      await audits.record(actorOf(request), request.params.id, request.params.itemId, request.body);
      return reply.status(204).send(null);
    },
  );
  server.post(
    '/api/v1/audit-runs/:id/items/:itemId/files',
    { config: write, bodyLimit, schema: { tags, params: item, body: uploadBody, response: { 204: nothing } } },
    async (request, reply) => {
      await audits.attach(actorOf(request), request.params.id, request.params.itemId, uploadOf(request.body));
      return reply.status(204).send(null);
    },
  );
  const done = z.object({ findings: z.array(z.string()), nextDueOn: z.string().nullable() });
  server.post(
    '/api/v1/audit-runs/:id/complete',
    { config: write, schema: { tags, params: idParameter, response: { 200: done } } },
    async (request) => {
      const { findings, nextDueOn } = await audits.complete(actorOf(request), request.params.id);
      return { findings: [...findings], nextDueOn };
    },
  );
}

/** Attestations, own audits, and what owners were told of. */
export function addAttestationRoutes(server: ApiServer, deps: AssuranceRouteDeps): void {
  addAttestations(server, deps);
  addAudits(server, deps);
  const row = z.object({
    id: z.string(),
    vendorId: z.string(),
    topic: z.string(),
    text: z.string(),
    owner: z.string(),
    mailedTo: z.string().nullable(),
    at: z.int(),
  });
  server.get(
    '/api/v1/vendor-warnings',
    {
      config: read,
      schema: {
        tags: ['attestations'],
        querystring: z.object({ vendorId: z.uuid().optional() }),
        response: { 200: z.object({ items: z.array(row) }) },
      },
    },
    async (request) => ({ items: await listWarnings(deps.db, request.query.vendorId) }),
  );
}
