import { z } from 'zod';

const INJECTS_MAX = 60;
const CALLS_MAX = 200;
const EVENTS_MAX = 500;
const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `90s`, `15m`, `72h`, `4d` as milliseconds; a drill keeps them as such. */
const duration = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^\d{1,4}[smhd]$/, 'expected a number with s, m, h or d')
    .transform((text) => Number(text.slice(0, -1)) * UNITS_MS[text.slice(-1) as keyof typeof UNITS_MS]), // by the pattern
]);

const line = z.string().trim().min(1).max(300);
const prose = z.string().trim().min(1).max(8_000);
const key = z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}$/);

export const ROLES = ['commander', 'technical', 'communications', 'legal', 'liaison', 'scribe'] as const;
export const MODES = ['live-fire', 'tabletop'] as const;
export type DrillMode = (typeof MODES)[number];

/** Where a fact of the scenario stands. `checked`: somebody read it there; `no`: it is told from memory. */
const source = z.strictObject({
  title: line,
  url: z.url({ protocol: /^https$/ }),
  publisher: line.optional(),
  checked: z.enum(['yes', 'no']),
  note: z.string().trim().max(1_000).default(''),
});

/** Something told to participants. */
const message = z.strictObject({
  from: line,
  to: z.array(z.enum(ROLES)).min(1).optional(),
  text: prose,
  /** What the facilitator knows and participants don't. */
  guidance: z.string().trim().max(4_000).default(''),
  /** Questions to the table. */
  questions: z.array(line).max(10).default([]),
});

/** One call of the simulated attacker, with the real stolen token, through the real gateway. */
const call = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'DELETE']).default('GET'),
  /** Below the drill's own app. */
  path: z.string().regex(/^\/[\w./-]*$/),
  times: z.int().min(1).max(100).default(1),
});

const inject = z
  .strictObject({
    id: key,
    /** From the beginning. */
    at: duration,
    title: line,
    message: message.optional(),
    /** Records of vendors, as their API gives them: a file beside the scenario. */
    events: z
      .strictObject({
        product: z.string().regex(/^[a-z0-9_]+(\/[a-z0-9_]+)?$/),
        file: z.string().regex(/^[\w-]+\.yaml$/),
      })
      .optional(),
    calls: z.array(call).min(1).max(CALLS_MAX).optional(),
  })
  .refine((one) => one.message ?? one.events ?? one.calls, 'an inject tells, sends or calls something');

const detection = z.strictObject({
  rule: z.string().regex(/^[\w-]+\.[\w-]+$/),
  /** From the first event or call of this inject. */
  after: key,
  within: duration,
});

/** What participants are expected to do or decide; ticked by the facilitator of a tabletop. */
const action = z.strictObject({
  id: key,
  title: line,
  role: z.enum(ROLES),
  after: key,
  within: duration,
  kind: z.enum(['decide', 'contain', 'notify', 'investigate', 'recover']),
});

/** A message that has to be on its way: held back at the transport in a drill, but written. */
const notice = z.strictObject({
  id: key,
  title: line,
  /** The name of the channel of incidents that it goes to. */
  channel: key,
  within: duration,
});

export const scenarioDocument = z.strictObject({
  title: line,
  summary: prose,
  /** The public incident that it replays; absent: made up. */
  incident: z.strictObject({ name: line, when: line, who: line }).optional(),
  modes: z.array(z.enum(MODES)).min(1),
  objectives: z.array(line).min(1).max(10),
  /** ATT&CK techniques, of which each says where it shows. */
  attack: z
    .array(z.strictObject({ id: z.string().regex(/^T\d{4}(\.\d{3})?$/), name: line }))
    .min(1)
    .max(20),
  roles: z.array(z.enum(ROLES)).min(1),
  /** After it the drill ends by itself. */
  limit: duration,
  /** What the stolen credential may do: operations of the drill's own app. Absent: no calls are made. */
  target: z
    .strictObject({
      operations: z
        .array(z.string().regex(/^[\w.]+$/))
        .min(1)
        .max(10),
    })
    .optional(),
  injects: z.array(inject).min(1).max(INJECTS_MAX),
  detections: z.array(detection).max(30).default([]),
  /** Names under which detections ask for a playbook, or its name. */
  playbooks: z
    .array(z.strictObject({ name: line, within: duration }))
    .max(5)
    .default([]),
  /** From the cut-off's own commit, and from the yes to the playbook that leads to it, to the last gateway that refuses. */
  contain: z.strictObject({ within: duration, fromApproval: duration }).optional(),
  notices: z.array(notice).max(10).default([]),
  actions: z.array(action).max(40).default([]),
  sources: z.array(source).max(20),
  /** What is told here and could not be checked against a public source. */
  notChecked: z.array(line).max(20).default([]),
});

export const eventFile = z.array(z.record(z.string(), z.unknown())).min(1).max(EVENTS_MAX);
export type EventRecord = Readonly<Record<string, unknown>>;

/** A scenario with the records that lie beside it; this whole is what a drill keeps and what its digest covers. */
const scenario = scenarioDocument.extend({
  name: key,
  records: z.record(z.string(), eventFile),
});
export type Scenario = z.output<typeof scenario>;
export type Inject = Scenario['injects'][number];

/** A scenario as `drill.document` holds it. */
export function readKept(document: unknown): Scenario {
  return scenario.parse(document);
}

/** What is written twice or leads nowhere: ids, `after`, files, modes without what they need. */
export function scenarioProblems(of: Scenario): string[] {
  const injects = new Set(of.injects.map(({ id }) => id));
  const problems: string[] = [];
  if (injects.size !== of.injects.length) problems.push('two injects have one id');
  for (const { after } of [...of.detections, ...of.actions]) {
    if (!injects.has(after)) problems.push(`"${after}" is no inject`);
  }
  for (const one of of.injects) {
    if (one.events && !of.records[one.events.file]) problems.push(`${one.events.file} is missing`);
    if (one.calls && !of.target) problems.push(`${one.id} calls, but there is no target`);
    if (one.at > of.limit) problems.push(`${one.id} comes after the limit`);
  }
  for (const { role } of of.actions) if (!of.roles.includes(role)) problems.push(`nobody has the role ${role}`);
  const fires = of.injects.some(({ events, calls }) => events ?? calls);
  if (of.modes.includes('live-fire') && !fires) problems.push('a live fire sends events or makes calls');
  if (of.modes.includes('live-fire') && of.detections.length === 0) problems.push('a live fire expects a detection');
  if (of.modes.includes('tabletop') && !of.injects.some(({ message: told }) => told))
    problems.push('a tabletop tells something');
  if (of.incident && of.sources.length === 0) problems.push('a replayed incident names its sources');
  return problems;
}
