import type { DataFlow } from './data-queries.ts';

/** How a flow is known. */
export const HOWS: Readonly<Record<DataFlow['how'], string>> = {
  inline: 'seen in traffic',
  inferred: 'read there, written here',
  possible: 'possible: two integrations',
};

const placeText = (place: DataFlow['from'], flow: Pick<DataFlow, 'integration'>): string =>
  place.app === '' ? `${flow.integration.name} itself` : `${place.app}: ${place.object}`;

export const flowText = (flow: Pick<DataFlow, 'from' | 'to' | 'integration'>): string =>
  `${placeText(flow.from, flow)} → ${placeText(flow.to, flow)}`;
