import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadManifests, testConnector } from '@cordon/connectors';
import { loadParsers } from '@cordon/detection';
import { expect, test } from 'vitest';

const content = fileURLToPath(new URL('../../../../content/', import.meta.url));
const folder = `${content}connectors`;
const parsers = await loadParsers(`${content}parsers`);
const manifests = await loadManifests(folder);

/** Audit events of the recordings, with the parser that their stream names. */
async function recordedEvents(app: string) {
  const manifest = manifests.find(app)?.manifest;
  const tests = await testConnector(folder, app);
  return tests.flatMap(({ streams }) =>
    streams.flatMap(({ stream, entities }) => {
      const parser = manifest?.streams[stream]?.parser;
      return entities.flatMap((one) =>
        one.type === 'audit_event' && parser !== undefined ? [{ stream, parser, raw: one.raw, time: one.time }] : [],
      );
    }),
  );
}

const apps = readdirSync(folder).filter((app) => manifests.find(app) !== undefined);

test.each(apps)(
  'what the connector of %s reads from logs, its parser makes one event of, with its time',
  async (app) => {
    const events = await recordedEvents(app);
    const made = events.map(({ stream, parser, raw }) => {
      const normalised = parsers.normalise(parser, raw);
      return { stream, times: normalised.map((event) => new Date(event.time).toISOString()) };
    });
    expect(made).toEqual(events.map(({ stream, time }) => ({ stream, times: [time] })));
  },
);
