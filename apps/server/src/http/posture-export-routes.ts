import { fileURLToPath } from 'node:url';
import { randomUUID } from 'node:crypto';
import { loadConnection, readPosture } from '@cordon/connectors';
import { type Catalogue, loadCatalogue, toAssessmentResults, toComplianceFinding, toCsv } from '@cordon/posture';
import { z } from 'zod';
import type { ApiServer } from './api-type.ts';
import type { ConnectorRouteDeps } from './connector-routes.ts';
import { idParameter } from './estate-bodies.ts';
import { sendFile } from './vendor-routes.ts';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));

/**
 * How a tool stands, for others to read: CSV, OCSF Compliance Findings (class 2003, a line each) or OSCAL assessment
 * results.
 */
export function addPostureExportRoutes(server: ApiServer, deps: ConnectorRouteDeps): void {
  let catalogue: Promise<Catalogue> | undefined;
  const format = z.enum(['csv', 'ocsf', 'oscal']);
  server.get(
    '/api/v1/connections/:id/posture/export',
    {
      config: { permission: 'connector.read' },
      schema: { tags: ['posture'], params: idParameter, querystring: z.object({ format }) },
    },
    async (request, reply) => {
      const connection = await loadConnection(deps.db, request.params.id);
      const { items } = await readPosture(deps, connection);
      catalogue ??= loadCatalogue(CONTENT);
      const checks = await catalogue;
      const { id, name, app } = connection;
      switch (request.query.format) {
        case 'csv':
          return sendFile(reply, `${name}-posture.csv`, Buffer.from(toCsv(name, items, checks)));
        case 'ocsf': {
          const lines = items.map((item) =>
            JSON.stringify(toComplianceFinding({ uid: id, name, type: app }, item, checks)),
          );
          return sendFile(reply, `${name}-posture.ndjson`, Buffer.from(`${lines.join('\n')}\n`));
        }
        case 'oscal': {
          // OSCAL takes UUIDs of version 4 and 5 only; ours are of version 7.
          const subject = { id: randomUUID(), name: `${name} (${id})` };
          const document = toAssessmentResults(items, checks, {
            app: subject,
            now: deps.clock.now(),
            newUuid: () => randomUUID(),
          });
          return sendFile(reply, `${name}-posture.oscal.json`, Buffer.from(JSON.stringify(document, null, 2)));
        }
      }
    },
  );
}
