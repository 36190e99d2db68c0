import { type DataMap, LABELS, listPlacesOfData, loadDataMap } from '@cordon/governance';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import type { ApiServer } from './api-type.ts';

const tags = ['data'];
const label = z.enum(LABELS);
const name = z.string().min(1).max(200);
const texts = z.array(z.string());
const totals = z.object({ apps: z.int(), sets: z.int() });

const mapBody = z.object({
  /** `apps` where there are too many data sets to draw each: ask again with `app`. */
  level: z.enum(['sets', 'apps']),
  apps: z.array(
    z.object({
      id: z.string(),
      app: z.string(),
      label,
      sets: z.int(),
      records: z.int(),
      region: z.string().nullable(),
      vendor: z.string().nullable(),
      isContext: z.boolean(),
    }),
  ),
  sets: z.array(
    z.object({
      id: z.string(),
      app: z.string(),
      object: z.string(),
      label,
      categories: texts,
      records: z.int(),
      isContext: z.boolean(),
    }),
  ),
  integrations: z.array(z.object({ id: z.string(), name: z.string() })),
  lines: z.array(
    z.object({
      id: z.string(),
      from: z.string(),
      to: z.string(),
      integration: z.object({ id: z.string(), name: z.string() }),
      how: z.enum(['inline', 'inferred', 'possible']),
      label,
      categories: texts,
      records: z.int(),
      flows: z.int(),
      flowIds: texts,
    }),
  ),
  totals: totals.extend({ flows: z.int() }),
  left: totals.extend({ lines: z.int() }),
  choices: z.object({ apps: texts, categories: texts, regions: texts, vendors: texts }),
});

const mapOf = (map: DataMap): z.input<typeof mapBody> => ({
  ...map,
  apps: [...map.apps],
  sets: map.sets.map((set) => ({ ...set, categories: [...set.categories] })),
  integrations: [...map.integrations],
  lines: map.lines.map((line) => ({ ...line, categories: [...line.categories], flowIds: [...line.flowIds] })),
  choices: {
    apps: [...map.choices.apps],
    categories: [...map.choices.categories],
    regions: [...map.choices.regions],
    vendors: [...map.choices.vendors],
  },
});

/** The map of data, and where people said that apps and integrations are. */
export function addDataMapRoutes(server: ApiServer, { db }: { readonly db: Database }): void {
  server.get(
    '/api/v1/data/map',
    {
      config: { permission: 'data.read' },
      schema: {
        tags,
        querystring: z.strictObject({
          app: name.optional(),
          label: label.optional(),
          category: name.optional(),
          region: name.optional(),
          vendor: name.optional(),
        }),
        response: { 200: mapBody },
      },
    },
    async (request) => mapOf(await loadDataMap(db, request.query)),
  );
  server.get(
    '/api/v1/data/places',
    {
      config: { permission: 'data.read' },
      schema: {
        tags,
        response: {
          200: z.object({
            items: z.array(
              z.object({
                app: z.string(),
                region: z.string().nullable(),
                vendor: z.string().nullable(),
                clearance: label.nullable(),
              }),
            ),
          }),
        },
      },
    },
    async () => ({ items: [...(await listPlacesOfData(db))] }),
  );
}
