import {
  buildActor,
  buildEndpoint,
  buildMetadata,
  type EndpointFacts,
  type EventOrigin,
  type Named,
  type PersonFacts,
} from './event-build.ts';
import {
  ACTIVITY,
  CATEGORY,
  CLASS,
  type DetectionFindingActivityName,
  FINDING_STATUS,
  type FindingStatusName,
  SEVERITY,
  type SeverityName,
  typeUid,
} from './ocsf.ts';
import type { DetectionFindingEvent } from './ocsf-events.ts';

export interface DetectionFindingFacts extends EventOrigin {
  readonly activity: DetectionFindingActivityName;
  readonly severity: SeverityName;
  readonly status?: FindingStatusName;
  /** The alert's own id: deterministic, so that a re-run makes the same finding and not another. */
  readonly findingId: string;
  readonly title: string;
  readonly description?: string;
  readonly rule: { readonly id: string; readonly name: string; readonly kind: 'rule' | 'behavioral' | 'statistical' };
  readonly attacks?: readonly { readonly tactic?: Named; readonly technique?: Named }[];
  /** Ids of the lake's events that it rests on. */
  readonly eventIds: readonly string[];
  readonly integration?: Named;
  readonly person?: PersonFacts;
  readonly app?: Named;
  readonly source?: EndpointFacts;
  readonly isAlert?: boolean;
}

/** `analytic.type_id`: 1 Rule, 2 Behavioral, 3 Statistical. */
const ANALYTIC_TYPE = { rule: 1, behavioral: 2, statistical: 3 } as const;

const uidName = ({ id, name }: Named) => ({ uid: id, name });

/** Detection Finding (2004): a rule or a baseline says that something is wrong. */
export function detectionFinding(facts: DetectionFindingFacts): DetectionFindingEvent {
  const activityId = ACTIVITY.detectionFinding[facts.activity];
  return {
    class_uid: CLASS.detectionFinding,
    category_uid: CATEGORY.findings,
    activity_id: activityId,
    type_uid: typeUid(CLASS.detectionFinding, activityId),
    time: facts.time,
    metadata: buildMetadata(facts),
    severity_id: SEVERITY[facts.severity],
    status_id: FINDING_STATUS[facts.status ?? 'new'],
    is_alert: facts.isAlert ?? true,
    ...(facts.message !== undefined && { message: facts.message }),
    finding_info: {
      uid: facts.findingId,
      title: facts.title,
      ...(facts.description !== undefined && { desc: facts.description }),
      analytic: { uid: facts.rule.id, name: facts.rule.name, type_id: ANALYTIC_TYPE[facts.rule.kind] },
      ...(facts.attacks && {
        attacks: facts.attacks.map(({ tactic, technique }) => ({
          ...(tactic && { tactic: uidName(tactic) }),
          ...(technique && { technique: uidName(technique) }),
        })),
      }),
      related_events: facts.eventIds.map((uid) => ({ uid })),
    },
    ...((facts.integration || facts.person) && { actor: buildActor(facts.integration, facts.person) }),
    ...(facts.app && { resources: [{ ...uidName(facts.app), type: 'app' }] }),
    ...(facts.source && { src_endpoint: buildEndpoint(facts.source) }),
  };
}
