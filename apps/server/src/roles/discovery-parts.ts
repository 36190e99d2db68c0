import type { Manifests } from '@cordon/connectors';
import { createAppCommands, createClientCommands, createKeyCommands, createReadCommands } from '@cordon/discovery';
import type { AccessCommands, Estate } from '@cordon/estate';
import type { Actor, Clock, Database, SecretEnvelope, Transaction, WorkflowClient } from '@cordon/kernel';
import { createReviewCommands, type ReviewPorts } from '@cordon/review';
import { queueMail } from '@cordon/vendors';
import { loadDiscoveryContent } from '../discovery/discovery-content.ts';
import { gatherCandidates } from '../discovery/review-gather.ts';
import { readKeys, readServed } from '../discovery/tool-reads.ts';

/** Everybody, with their addresses. */
export type DiscoveryPeople = (actor: Actor) => Promise<readonly { id: string; email: string; name: string }[]>;

/** Mail of reviews and discovery: the link opens the console, which asks for sign-in and a fresh factor. */
export function createDiscoveryMail(deps: {
  readonly envelope: SecretEnvelope;
  readonly clock: Clock;
  readonly publicUrl: string;
}): ReviewPorts['mail'] {
  return (tx, { to, subject, text, path }) =>
    queueMail(
      tx,
      { envelope: deps.envelope, at: deps.clock.now() },
      { to, subject, text: `${text}\n\n${deps.publicUrl}${path}\n` },
    );
}

/** Control's half of discovery and reviews: commands. The worker reads the lake and acts. */
export function createDiscoveryParts(deps: {
  readonly db: Database;
  readonly clock: Clock;
  readonly envelope: SecretEnvelope;
  readonly workflows: WorkflowClient;
  readonly estate: Estate;
  readonly manifests: Manifests;
  readonly access: AccessCommands;
  readonly publicUrl: string;
  readonly people: DiscoveryPeople;
}) {
  const { db, clock, workflows, estate, manifests } = deps;
  const { catalogue } = loadDiscoveryContent();
  const mail = createDiscoveryMail(deps);
  return {
    catalogue,
    foundApps: createAppCommands({
      db,
      clock,
      catalogue,
      workflows,
      ports: {
        block: (tx, hosts, at) => estate.proxy.block(tx, hosts, at),
        async tellAsked(tx: Transaction, app, note) {
          const people = await deps.people({ kind: 'system', name: 'discovery' });
          const asked = people.find(({ id }) => id === app.owner?.id);
          if (!asked) return;
          await mail(tx, {
            to: asked.email,
            subject: `What do you use ${app.name} for?`,
            text: `${note === '' ? `${app.name} was found in use.` : note}\nSay what it is for, and whether it may stay.`,
            path: `/discovery/${app.key}`,
          });
        },
      },
    }),
    foundKeys: createKeyCommands({ db, clock, workflows, keys: () => readKeys(db, manifests) }),
    foundClients: createClientCommands({ db, clock, workflows }),
    logReads: createReadCommands({ db, clock, catalogue, served: () => readServed(db, manifests) }),
    reviews: createReviewCommands({
      db,
      clock,
      workflows,
      ports: { gather: () => gatherCandidates({ ...deps }), mail },
    }),
  };
}
export type DiscoveryParts = ReturnType<typeof createDiscoveryParts>;
