import {
  type Correlation,
  exceptionInput,
  listExceptions,
  listSettings,
  type Rule,
  type RuleCommands,
  ruleSettingInput,
  type RuleSet,
} from '@cordon/detection';
import type { Clock, Database } from '@cordon/kernel';
import { z } from 'zod';
import { actorOf } from './access.ts';
import type { ApiServer } from './api-type.ts';
import { detectionBody, exceptionBody } from './detection-bodies.ts';
import { idParameter } from './estate-bodies.ts';

export interface DetectionRouteDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly ruleSet: RuleSet;
  readonly rules: RuleCommands;
}

const tags = ['detections'];
const ruleParameter = z.object({ id: z.string().min(1).max(200) });

type Described = Omit<z.output<typeof detectionBody>, 'enabled' | 'setting' | 'exceptions'>;

/** A rule as lists and pages show it. */
export function describeDetection(one: Rule | Correlation): Described {
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
  const { db, clock, rules } = deps;
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
          ...describeDetection(one),
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
}
