import { type Alert, listAlerts, type RuleSet } from '@cordon/detection';
import { addEntry, addLinks, listCases, openCase, type PlaybookLibrary, type RunCommands } from '@cordon/incidents';
import type { Actor, Clock, Database, Logger, Transaction } from '@cordon/kernel';

const ALERTS_MAX = 200;
const ACTOR: Actor = { kind: 'system', name: 'detection' };

export interface CaseTriggerDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ruleSet: RuleSet;
  readonly library: PlaybookLibrary;
  readonly runs: Pick<RunCommands, 'propose'>;
  /** A correlation knows whom it is about by id only; null when nothing of that id is known. */
  readonly integrationName: (id: string) => Promise<string | null>;
}

/** What an alert says of the inputs that playbooks ask for. */
function knownInputs({ entity, product, title }: Alert): Record<string, string> {
  return {
    ...(entity.type === 'integration' && { __integration__: entity.id }),
    ...(entity.type === 'person' && { __person__: entity.id }),
    __app__: product,
    __reason__: `Alert: ${title}`,
  };
}

function inputsOf(alert: Alert, declared: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(knownInputs(alert)).filter(([name]) => declared.includes(name)));
}

/** Names under which the rule of an alert asks for a playbook. */
function triggerOf({ rules, correlations }: RuleSet, ruleId: string): string | null {
  const found = rules.find(({ id }) => id === ruleId) ?? correlations.find(({ id }) => id === ruleId);
  return found?.guidance?.playbook ?? null;
}

/**
 * Opens a case for each open alert of high severity whose rule names a playbook that is there, and proposes its run:
 * nothing happens until a person approves. The same alert opens one case and proposes one run, however often it is seen.
 */
export async function openCasesForAlerts(deps: CaseTriggerDeps): Promise<number> {
  const { db } = deps;
  const alerts = await listAlerts(db, {
    status: ['open', 'acknowledged'],
    levelMin: 'high',
    drill: 'with',
    limit: ALERTS_MAX,
  });
  let opened = 0;
  for (const alert of alerts) {
    const trigger = triggerOf(deps.ruleSet, alert.ruleId);
    if (trigger === null) continue;
    const known = await listCases(db, { link: { kind: 'alert', ref: alert.id }, limit: 1 });
    if (known.length > 0) continue;
    const playbook = await deps.library.findByTrigger(trigger, Object.keys(knownInputs(alert)));
    if (!playbook) continue;
    const named = await withName(deps, alert);
    await db.transaction((tx) => openFor(deps, tx, named, playbook));
    opened += 1;
  }
  return opened;
}

async function withName({ integrationName }: CaseTriggerDeps, alert: Alert): Promise<Alert> {
  const { entity } = alert;
  if (entity.type !== 'integration' || entity.name !== entity.id) return alert;
  return { ...alert, entity: { ...entity, name: (await integrationName(entity.id)) ?? entity.id } };
}

type Found = NonNullable<Awaited<ReturnType<PlaybookLibrary['findByTrigger']>>>;

async function openFor(
  { clock, logger, runs }: CaseTriggerDeps,
  tx: Transaction,
  alert: Alert,
  playbook: Found,
): Promise<void> {
  const at = clock.now();
  const { entity } = alert;
  const about =
    entity.type === 'integration' || entity.type === 'person'
      ? [{ kind: entity.type, ref: entity.id, name: entity.name }]
      : [];
  const made = await openCase(
    tx,
    ACTOR,
    {
      title: `${alert.title}: ${entity.name}`,
      severity: alert.level === 'critical' ? 'critical' : 'high',
      origin: 'alert',
      occurredAt: alert.firstAt,
      detectedAt: alert.createdAt,
      links: [{ kind: 'alert', ref: alert.id, name: alert.title }, ...about],
    },
    at,
    `alert:${alert.id}`,
    alert.drill,
  );
  await addLinks(tx, made.id, [{ kind: 'alert', ref: alert.id, name: alert.title }], at);
  const inputs = inputsOf(alert, Object.keys(playbook.playbook_variables ?? {}));
  try {
    await runs.propose(tx, {
      playbook,
      inputs,
      caseId: made.id,
      alertId: alert.id,
      triggerKey: `${alert.id}:${playbook.id}`,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    logger.info({ alert: alert.id, why }, 'a playbook could not be proposed');
    const text = `The playbook "${playbook.name}" fits, but has to be started by hand: ${why}`;
    await addEntry(tx, made.id, {
      kind: 'note',
      at,
      recordedAt: at,
      author: 'detection',
      text,
      key: `${alert.id}:${playbook.id}`,
    });
  }
}
