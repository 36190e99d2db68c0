import {
  type Correlation,
  type createTargetCommands,
  exceptionInput,
  listExceptions,
  listSettings,
  listTargets,
  type Rule,
  type RuleCommands,
  ruleSettingInput,
  type RuleSet,
  targetInput,
} from '@cordon/detection';
import type { Clock, Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { detectionBody, exceptionBody, targetBody } from './detection-bodies.ts';
import { idParameter } from './estate-bodies.ts';

export interface DetectionRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly ruleSet: RuleSet;
  readonly rules: RuleCommands;
  readonly targets: ReturnType<typeof createTargetCommands>;
}

const tags = ['detections'];
const ruleParameter = z.object({ id: z.string().min(1).max(200) });

type Described = Omit<z.output<typeof detectionBody>, 'enabled' | 'setting' | 'exceptions'>;

function describe(one: Rule | Correlation): Described {
  const { id, title, level, tags: marks, guidance, file } = one;
  const isRule = 'expression' in one;
  return {
    id,
    kind: isRule ? 'rule' : 'correlation',
    title,
    level,
    status: isRule ? one.status : 'test',
    product: isRule ? (one.logsource.product ?? null) : null,
    service: isRule ? (one.logsource.service ?? null) : null,
    tags: [...marks],
    description: guidance.description,
    why: guidance.why,
    falsePositives: [...guidance.falsePositives],
    questions: [...guidance.questions],
    playbook: guidance.playbook ?? null,
    file,
  };
}

export function addDetectionRoutes(server: ApiServer, deps: DetectionRouteDeps): void {
  const { db, clock, rules, targets } = deps;
  server.get(
    '/api/v1/detections',
    {
      config: { permission: 'detection.read' },
      schema: { tags, response: { 200: z.object({ items: z.array(detectionBody) }) } },
    },
    async () => {
      const { ruleSet } = deps;
      const settings = new Map((await listSettings(db)).map((setting) => [setting.ruleId, setting]));
      const exceptions = Map.groupBy(await listExceptions(db, clock.now()), ({ ruleId }) => ruleId);
      const items = [...ruleSet.rules, ...ruleSet.correlations].map((one) => {
        const setting = settings.get(one.id);
        return {
          ...describe(one),
          enabled: setting?.enabled ?? true,
          setting: setting ?? null,
          exceptions: exceptions.get(one.id) ?? [],
        };
      });
      return { items };
    },
  );
  server.put(
    '/api/v1/detections/:id/setting',
    {
      config: { permission: 'detection.write' },
      schema: {
        tags,
        params: ruleParameter,
        body: ruleSettingInput,
        response: { 200: z.object({ ruleId: z.string(), enabled: z.boolean(), reason: z.string() }) },
      },
    },
    async (request) => rules.set(actorOf(request), request.params.id, request.body),
  );
  server.post(
    '/api/v1/detections/:id/exceptions',
    {
      config: { permission: 'detection.write' },
      schema: { tags, params: ruleParameter, body: exceptionInput, response: { 201: exceptionBody } },
    },
    async (request, reply) =>
      reply.status(201).send(await rules.except(actorOf(request), request.params.id, request.body)),
  );
  server.delete(
    '/api/v1/detection-exceptions/:id',
    { config: { permission: 'detection.write' }, schema: { tags, params: idParameter, response: { 204: z.null() } } },
    async (request, reply) => {
      await rules.endException(actorOf(request), request.params.id);
      return reply.status(204).send(null);
    },
  );
  addTargets();

  function addTargets(): void {
    server.get(
      '/api/v1/notification-targets',
      {
        config: { permission: 'detection.write' },
        schema: { tags, response: { 200: z.object({ items: z.array(targetBody) }) } },
      },
      async () => ({
        items: (await listTargets(db)).map((one) => ({ ...one, privateAddresses: [...one.privateAddresses] })),
      }),
    );
    server.post(
      '/api/v1/notification-targets',
      {
        config: { permission: 'detection.write' },
        schema: { tags, body: targetInput, response: { 201: targetBody } },
      },
      async (request, reply) => {
        const target = await targets.add(actorOf(request), request.body);
        return reply.status(201).send({ ...target, privateAddresses: [...target.privateAddresses] });
      },
    );
    server.delete(
      '/api/v1/notification-targets/:id',
      { config: { permission: 'detection.write' }, schema: { tags, params: idParameter, response: { 204: z.null() } } },
      async (request, reply) => {
        await targets.remove(actorOf(request), request.params.id);
        return reply.status(204).send(null);
      },
    );
  }
}
