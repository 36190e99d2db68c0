import ElkConstructor from 'elkjs/lib/elk-api.js';
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';

export const STEP_WIDTH = 220;
export const STEP_HEIGHT = 58;

export interface GraphStep {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  readonly detail: string;
}
export interface GraphEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly label: string;
}
export interface Graph {
  readonly steps: readonly GraphStep[];
  readonly edges: readonly GraphEdge[];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function detailOf(step: Readonly<Record<string, unknown>>): string {
  const commands = Array.isArray(step['commands']) ? step['commands'].filter(isRecord) : [];
  const names = commands.map((one) => (one['type'] === 'cordon' ? textOf(one['command']) : textOf(one['type'])));
  return names.join(', ') || textOf(step['condition']) || textOf(step['switch']) || textOf(step['type']);
}

function edgesOf(id: string, step: Readonly<Record<string, unknown>>): GraphEdge[] {
  const named = [
    ['on_completion', ''],
    ['on_success', ''],
    ['on_failure', 'fails'],
    ['on_true', 'true'],
    ['on_false', 'false'],
  ].map(([key = '', label = '']) => [textOf(step[key]), label] as const);
  const cases = isRecord(step['cases'])
    ? Object.entries(step['cases']).map(([value, to]) => [textOf(to), value] as const)
    : [];
  const next = Array.isArray(step['next_steps'])
    ? step['next_steps'].map((to, place) => [textOf(to), String(place + 1)] as const)
    : [];
  return [...named, ...cases, ...next]
    .filter(([target]) => target !== '')
    .map(([target, label]) => ({ id: `${id} ${label} ${target}`, source: id, target, label }));
}

/** Steps and ways of a document as far as it can be read: the editor draws what is half typed, too. */
export function graphOf(document: unknown): Graph {
  const workflow = isRecord(document) && isRecord(document['workflow']) ? document['workflow'] : {};
  const entries = Object.entries(workflow).flatMap(([id, step]) => (isRecord(step) ? [[id, step] as const] : []));
  const known = new Set(entries.map(([id]) => id));
  return {
    steps: entries.map(([id, step]) => ({
      id,
      type: textOf(step['type']),
      name: textOf(step['name']) || textOf(step['type']),
      detail: detailOf(step),
    })),
    edges: entries.flatMap(([id, step]) => edgesOf(id, step)).filter(({ target }) => known.has(target)),
  };
}

const elk = new ElkConstructor({ workerFactory: () => new Worker(workerUrl) });

/** Top to bottom, in the order in which it runs. */
export async function layOutGraph({ steps, edges }: Graph): Promise<ReadonlyMap<string, { x: number; y: number }>> {
  const laid = await elk.layout({
    id: 'playbook',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'DOWN',
      'elk.layered.spacing.nodeNodeBetweenLayers': '46',
      'elk.spacing.nodeNode': '28',
    },
    children: steps.map(({ id }) => ({ id, width: STEP_WIDTH, height: STEP_HEIGHT })),
    edges: edges.map(({ id, source, target }) => ({ id, sources: [source], targets: [target] })),
  });
  return new Map((laid.children ?? []).map(({ id, x = 0, y = 0 }) => [id, { x, y }]));
}
