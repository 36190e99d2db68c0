import { showMs, showShortCount } from '../display/number.ts';
import type { EstateMap } from '../api/wire.ts';

export type MapEdge = EstateMap['edges'][number];
export type MapIntegration = EstateMap['integrations'][number];
export type MapApp = EstateMap['apps'][number];

/** How an edge is doing: not granted at all, nothing refused, some refused, most refused, failing, or no traffic. */
export type EdgeState = 'idle' | 'flowing' | 'partly-refused' | 'refused' | 'failing';

/** Traffic this recent makes an edge move. */
export const RECENT_MS = 10_000;
const MOST = 0.5;

export function edgeState(edge: Pick<MapEdge, 'calls' | 'refusals' | 'errors'>): EdgeState {
  const { calls, refusals, errors } = edge;
  if (calls === 0) return 'idle';
  if (refusals / calls > MOST) return 'refused';
  if (errors / calls > MOST) return 'failing';
  return refusals > 0 ? 'partly-refused' : 'flowing';
}

export function isRecent(edge: Pick<MapEdge, 'lastAt'>, now: number): boolean {
  return edge.lastAt !== null && now - edge.lastAt <= RECENT_MS;
}

/** Thicker with traffic, but a thousand times the calls is not a thousand times as thick. */
export function edgeWidth(calls: number): number {
  return Math.min(7, 1.5 + Math.log10(calls + 1) * 1.4);
}

/** What stands on an edge: `1.2K calls · 14 refused · 9.8 ms`. */
export function edgeLabel(edge: Pick<MapEdge, 'calls' | 'refusals' | 'latencyP50'>): string {
  if (edge.calls === 0) return 'no calls';
  return [
    `${showShortCount(edge.calls)} ${edge.calls === 1 ? 'call' : 'calls'}`,
    ...(edge.refusals > 0 ? [`${showShortCount(edge.refusals)} refused`] : []),
    showMs(edge.latencyP50),
  ].join(' · ');
}

export const EDGE_STATE_TEXT: Readonly<Record<EdgeState, string>> = {
  idle: 'No traffic',
  flowing: 'Flowing',
  'partly-refused': 'Some refused',
  refused: 'Mostly refused',
  failing: 'Failing',
};

/** What is selected on the map, as it stands in the address bar's hash of the page's state. */
export type Selection =
  | { readonly kind: 'app'; readonly id: string }
  | { readonly kind: 'integration'; readonly id: string }
  | { readonly kind: 'edge'; readonly id: string };

export function edgeId(edge: Pick<MapEdge, 'integrationId' | 'appId'>): string {
  return `${edge.integrationId}|${edge.appId}`;
}

/** Sums of the edges that touch a node. */
export function sumEdges(edges: readonly MapEdge[]): Pick<MapEdge, 'calls' | 'refusals' | 'errors' | 'redacted'> & {
  lastAt: number | null;
} {
  const sum = { calls: 0, refusals: 0, errors: 0, redacted: 0, lastAt: null as number | null };
  for (const { calls, refusals, errors, redacted, lastAt } of edges) {
    sum.calls += calls;
    sum.refusals += refusals;
    sum.errors += errors;
    sum.redacted += redacted;
    if (lastAt !== null && (sum.lastAt === null || lastAt > sum.lastAt)) sum.lastAt = lastAt;
  }
  return sum;
}

/** Only what changes where nodes stand: new traffic must not move the map. */
export function layoutKey(map: EstateMap): string {
  const nodes = [...map.integrations, ...map.apps].map(({ id }) => id).sort();
  return JSON.stringify([nodes, map.edges.map(edgeId).sort()]);
}
