import {
  ALERT_PAGE_MAX,
  ALERT_STATUSES,
  alertClose,
  type AlertCommands,
  alertCommentInput,
  alertPatch,
  countAlerts,
  listAlerts,
  listComments,
  listSignals,
  loadAlert,
} from '@cordon/detection';
import type { Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf, RequestInvalid } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { alertBody, alertDetail, levelName } from './detection-bodies.ts';
import { idParameter } from './estate-bodies.ts';

export interface AlertRouteDeps {
  readonly db: Database;
  readonly alerts: AlertCommands;
}

const tags = ['alerts'];

/** `updatedAt` and `id` of the page's last alert. */
function readCursor(text: string | undefined): { updatedAt: number; id: string } | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,15}) ([0-9a-f-]{36})$/.exec(Buffer.from(text, 'base64url').toString());
  if (!match) throw new RequestInvalid('This cursor is not one. Start again without it.');
  return { updatedAt: Number(match[1]), id: match[2] ?? '' };
}

export function addAlertRoutes(server: ApiServer, { db, alerts }: AlertRouteDeps): void {
  server.get(
    '/api/v1/alerts',
    {
      config: { permission: 'alert.read' },
      schema: {
        tags,
        querystring: z.object({
          /** One or more of open, acknowledged, closed, with commas between them. */
          status: z
            .string()
            .transform((text) => text.split(','))
            .pipe(z.array(z.enum(ALERT_STATUSES)).min(1))
            .optional(),
          levelMin: levelName.optional(),
          rule: z.string().max(200).optional(),
          /** `type:id`, for example `integration:019b…`. */
          entity: z.string().max(600).optional(),
          assignee: z.string().max(200).optional(),
          /** Alerts of exercises are left out unless asked for: `with`, or the id of one. */
          drill: z.union([z.literal('with'), z.uuid()]).optional(),
          limit: z.coerce.number().int().min(1).max(ALERT_PAGE_MAX).default(50),
          cursor: z.string().max(200).optional(),
        }),
        response: {
          200: z.object({
            items: z.array(alertBody),
            cursor: z.string().nullable(),
            counts: z.object({ open: z.int(), acknowledged: z.int() }),
          }),
        },
      },
    },
    async (request) => {
      const { status, levelMin, rule, entity, assignee, drill, limit, cursor } = request.query;
      const before = readCursor(cursor);
      const of = drill === undefined ? 'without' : drill === 'with' ? drill : { id: drill };
      const items = await listAlerts(db, {
        status,
        levelMin,
        ruleId: rule,
        entity,
        assignee,
        drill: of,
        limit,
        before,
      });
      const last = items.length === limit ? items.at(-1) : undefined;
      return {
        items,
        cursor: last ? Buffer.from(`${last.updatedAt} ${last.id}`).toString('base64url') : null,
        counts: await countAlerts(db),
      };
    },
  );
  const detail = async (id: string) => {
    const [alert, timeline, comments] = [
      await loadAlert(db, id),
      await listSignals(db, id),
      await listComments(db, id),
    ];
    return { ...alert, timeline: timeline.map((one) => ({ ...one, eventIds: [...one.eventIds] })), comments };
  };
  server.get(
    '/api/v1/alerts/:id',
    { config: { permission: 'alert.read' }, schema: { tags, params: idParameter, response: { 200: alertDetail } } },
    async (request) => detail(request.params.id),
  );
  server.patch(
    '/api/v1/alerts/:id',
    {
      config: { permission: 'alert.write' },
      schema: { tags, params: idParameter, body: alertPatch, response: { 200: alertBody } },
    },
    async (request) => alerts.update(actorOf(request), request.params.id, request.body),
  );
  server.post(
    '/api/v1/alerts/:id/close',
    {
      config: { permission: 'alert.write' },
      schema: { tags, params: idParameter, body: alertClose, response: { 200: alertBody } },
    },
    async (request) => alerts.close(actorOf(request), request.params.id, request.body),
  );
  server.post(
    '/api/v1/alerts/:id/comments',
    {
      config: { permission: 'alert.write' },
      schema: { tags, params: idParameter, body: alertCommentInput, response: { 201: alertDetail } },
    },
    async (request, reply) => {
      await alerts.comment(actorOf(request), request.params.id, request.body.text);
      return reply.status(201).send(await detail(request.params.id));
    },
  );
}
