import type { Clock, Queryable } from '@cordon/kernel';
import { standingOf } from '../attestation/attestation.ts';
import { listAttestations } from '../attestation/attestation-store.ts';
import type { Clause } from '../contract/clause.ts';
import { type Contract, listContracts } from '../contract/contract-commands.ts';
import { problemsOf } from '../monitoring/host.ts';
import { listHosts, type WatchedHost } from '../monitoring/host-store.ts';
import { listNotices } from '../monitoring/notices.ts';
import { isOverdue, isUnresolved } from '../pentest/finding.ts';
import { listFindings } from '../pentest/finding-store.ts';
import { questionsOf } from '../questionnaire/form.ts';
import {
  listAnswers,
  listQuestionnaires,
  type Questionnaire,
  type StoredAnswer,
} from '../questionnaire/questionnaire-store.ts';
import type { Vendor } from '../register/vendor.ts';
import { listSubprocessors, loadVendor } from '../register/vendor-store.ts';
import type { Observation, Statement } from './contradiction.ts';
import type { StoredContradiction } from './contradiction-store.ts';
import type { ClauseFact, QuestionnaireFact, ScoreFacts } from './facts.ts';
import type { Observe, Observed } from './observed.ts';
import type { Regions } from './regions.ts';
import type { Weights } from './weights.ts';

const DAY_MS = 86_400_000;
/** A static key is worth a finding from this age; before, it may be on its way out. */
const STATIC_KEY_DAYS = 90;

export interface FactsContext {
  readonly clock: Clock;
  readonly clauses: readonly Clause[];
  readonly weights: Weights;
  readonly regions: Regions;
  readonly observe: Observe;
}

interface Answered {
  readonly questionnaire: Questionnaire;
  readonly answers: readonly StoredAnswer[];
}

/** What facts are made of, read once. */
export interface Gathered {
  readonly vendor: Vendor;
  readonly observed: Observed;
  readonly hosts: readonly WatchedHost[];
  readonly answered: readonly Answered[];
}

/** The newest of each form that somebody answered; older ones are history. */
async function readAnswered(db: Queryable, vendorId: string): Promise<Answered[]> {
  const found = new Map<string, Answered>();
  for (const questionnaire of await listQuestionnaires(db, vendorId)) {
    const form = `${questionnaire.form.id} ${questionnaire.form.id === 'own' ? questionnaire.form.title : ''}`;
    if (questionnaire.state === 'draft' || found.has(form)) continue;
    const answers = await listAnswers(db, questionnaire.id);
    if (answers.length > 0) found.set(form, { questionnaire, answers });
  }
  return [...found.values()];
}

export async function gather(db: Queryable, { observe }: FactsContext, vendorId: string): Promise<Gathered> {
  const vendor = await loadVendor(db, vendorId);
  const observed = await observe(vendor.appIds);
  return { vendor, observed, hosts: await listHosts(db, vendorId), answered: await readAnswered(db, vendorId) };
}

const textsOf = ({ value }: StoredAnswer): string[] =>
  value.answer === null ? [] : typeof value.answer === 'string' ? [value.answer] : value.answer;

/** What the vendor says of itself: answers that were not asked on, and the regions of its entry. */
export function statementsOf({ vendor, answered }: Gathered): Statement[] {
  const fromAnswers = answered.flatMap(({ questionnaire: { id, form }, answers }) => {
    const given = new Map(answers.map((one) => [one.questionId, one]));
    return questionsOf(form).flatMap((question): Statement[] => {
      const answer = given.get(question.id);
      if (!answer || textsOf(answer).length === 0) return [];
      const text = `${question.text} ${question.help ?? ''}`;
      const place = { questionnaireId: id, questionId: question.id, link: `/questionnaires/${id}` };
      return [{ ...place, question: text, answers: textsOf(answer) }];
    });
  });
  const register = { questionnaireId: null, questionId: null, question: '', link: `/vendors/${vendor.id}` };
  return [
    ...fromAnswers,
    ...(vendor.profile.regions.length === 0 ? [] : [{ ...register, answers: vendor.profile.regions }]),
  ];
}

/** What was seen that could contradict a vendor. */
export async function observationsOf(
  db: Queryable,
  { vendor, observed, hosts }: Gathered,
  { clock, regions }: FactsContext,
): Promise<Observation[]> {
  const now = clock.now();
  const ofHosts = hosts.flatMap(({ host, port, observation, source }): Observation[] => {
    const link = `/vendors/${vendor.id}`;
    const region = regions.ofHost(host);
    const place =
      region === null
        ? []
        : [
            {
              kind: 'region' as const,
              key: host,
              text: `${host} (${source}) lies in ${region}`,
              link,
              at: null,
              region,
            },
          ];
    if (observation === null) return place;
    const problems = problemsOf(observation, now).flatMap(({ contradicts, text }): Observation[] =>
      contradicts === null
        ? []
        : [{ kind: contradicts, key: `${host}:${port}`, text: `${host}:${port}: ${text}`, link, at: observation.at }],
    );
    return [...place, ...problems];
  });
  const keys = observed.staticKeys
    .filter(({ createdAt }) => now - createdAt >= STATIC_KEY_DAYS * DAY_MS)
    .map(({ id, appId, app, kind, createdAt }): Observation => {
      const days = Math.floor((now - createdAt) / DAY_MS);
      const text = `A static credential (${kind}) of ${app} is ${days} days old and in use`;
      return { kind: 'static_key', key: id, text, link: `/apps/${appId}`, at: createdAt };
    });
  const subprocessors = (await listSubprocessors(db, vendor.id)).flatMap(
    ({ key, name, country, source }): Observation[] => {
      const region = country === null ? null : regions.named(country);
      const text = `${name}, a subprocessor by ${source}, works in ${country}`;
      return region === null ? [] : [{ kind: 'region', key, text, link: `/vendors/${vendor.id}`, at: null, region }];
    },
  );
  return [...ofHosts, ...keys, ...subprocessors];
}

function questionnaireFact({ questionnaire, answers }: Answered, contradicted: ReadonlySet<string>): QuestionnaireFact {
  const { id, title, form } = questionnaire;
  const given = new Map(answers.map((one) => [one.questionId, one]));
  const states = questionsOf(form).map((question) => {
    const answer = given.get(question.id);
    const state = (): QuestionnaireFact['answers'][number]['state'] => {
      if (contradicted.has(`${id}:${question.id}`)) return 'contradicted';
      if (!answer || answer.review === 'follow_up') return 'open';
      const [text = ''] = textsOf(answer);
      const isYesNo = question.kind === 'yes-no-na';
      if (text === '' || (isYesNo && /^no\b/i.test(text))) return 'open';
      if (answer.review === 'accepted') return answer.value.files.length > 0 ? 'evidenced' : 'accepted';
      return isYesNo ? 'claimed' : 'open';
    };
    return { id: question.id, state: state() };
  });
  return { key: `questionnaire:${id}`, title, link: `/questionnaires/${id}`, answers: states };
}

/** A clause as the best of the contracts has it; what a person rejected is missing, hours they corrected are judged anew. */
function clauseFacts(contracts: readonly Contract[], clauses: readonly Clause[]): ClauseFact[] {
  const order = ['missing', 'weaker', 'present'] as const;
  return clauses.flatMap(({ id, title, severity, clock }): ClauseFact[] => {
    const states = contracts.flatMap((contract) => {
      const result = contract.check.clauses.find((one) => one.id === id);
      if (!result) return [];
      const said = contract.confirmations[id];
      const read = result.status === 'negated' ? 'missing' : result.status;
      const hours = said?.hours ?? null;
      const judged = hours !== null && clock?.kind === 'at_most' ? (hours <= clock.hours ? 'present' : 'weaker') : read;
      return [{ state: said?.verdict === 'rejected' ? ('missing' as const) : judged, contract: contract.id }];
    });
    const best = states.toSorted((a, b) => order.indexOf(b.state) - order.indexOf(a.state))[0];
    if (!best) return [];
    return [{ key: `clause:${id}`, title, link: `/contracts/${best.contract}`, severity, state: best.state }];
  });
}

/** Everything that counts, each with the place where a person finds it. */
export async function factsOf(
  db: Queryable,
  context: FactsContext,
  { vendor, observed, hosts, answered }: Gathered,
  contradictions: readonly StoredContradiction[],
): Promise<ScoreFacts> {
  const now = context.clock.now();
  const today = new Date(now).toISOString().slice(0, 10);
  const here = `/vendors/${vendor.id}`;
  const live = contradictions.filter(({ goneAt, decision }) => goneAt === null && decision === null);
  const contradicted = new Set(live.map(({ said }) => `${said.questionnaireId}:${said.questionId}`));
  const kinds = context.weights.attestation_kinds;
  const strengthOf = (kind: string) =>
    kinds.strong.includes(kind)
      ? ('strong' as const)
      : kinds.medium.includes(kind)
        ? ('medium' as const)
        : ('weak' as const);
  return {
    data: observed.data.map(({ app, appId, dataClass, label, values }) => ({
      key: `data:${appId}:${dataClass}`,
      title: `${dataClass} at ${app}`,
      link: `/apps/${appId}`,
      label,
      values,
    })),
    scopes: observed.grants.map(({ id, integrationId, integration, app, reach }) => ({
      key: `scope:${id}`,
      title: `${integration} at ${app}`,
      link: `/integrations/${integrationId}`,
      reach,
    })),
    calls: { count: observed.calls, link: observed.data[0] ? `/apps/${observed.data[0].appId}` : null },
    questionnaires: answered.map((one) => questionnaireFact(one, contradicted)),
    attestations: (await listAttestations(db, vendor.id)).map((one) => ({
      key: `attestation:${one.id}`,
      title: one.title,
      link: here,
      strength: strengthOf(one.kind),
      isValid: standingOf(one, today) === 'valid',
    })),
    clauses: clauseFacts(await listContracts(db, vendor.id), context.clauses),
    findings: (await listFindings(db, { vendorId: vendor.id })).flatMap((one) =>
      // What is ours to do, and remarks, say nothing against the vendor.
      !isUnresolved(one) || one.side === 'own' || one.severity === 'info'
        ? []
        : [
            {
              key: `finding:${one.id}`,
              title: one.title,
              link: here,
              severity: one.severity,
              isOverdue: isOverdue(one, today),
            },
          ],
    ),
    breaches: (await listNotices(db, vendor.id)).map(({ id, title, severity, occurredAt, at, caseId }) => ({
      key: `breach:${id}`,
      title,
      link: caseId === null ? here : `/cases/${caseId}`,
      severity,
      ageMs: now - (occurredAt ?? at),
    })),
    transport: hosts.flatMap(({ host, port, observation }) =>
      observation === null
        ? []
        : problemsOf(observation, now).map(({ code, severity, text }) => ({
            key: `transport:${host}:${port}:${code}`,
            title: `${host}: ${text}`,
            link: here,
            severity,
          })),
    ),
    posture: observed.posture.map(({ connectionId, connection, check, title, severity }) => ({
      key: `posture:${connectionId}:${check}`,
      title: `${connection}: ${title}`,
      link: `/connectors/${connectionId}`,
      severity,
    })),
    contradictions: live.map(({ key, title, severity, said }) => ({
      key: `contradiction:${key}`,
      title,
      severity,
      link: said.link,
    })),
  };
}
