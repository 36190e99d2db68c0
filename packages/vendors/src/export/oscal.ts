import { createHash } from 'node:crypto';
import { problemsOf } from '../monitoring/host.ts';
import type { VendorFileContent } from './vendor-file.ts';

const OSCAL_VERSION = '1.1.3';
const NAMESPACE = 'https://cordon.example/ns/oscal';
/** Any fixed UUID: names made under it are this package's. */
const UUID_NAMESPACE = '6f1d0b5e-7c9a-4a34-9d0e-5b1c7f2e8a11';

/** A UUID by name (RFC 9562, section 5.5): OSCAL takes versions 4 and 5 only, and the same thing keeps its id. */
function uuidOf(name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(UUID_NAMESPACE.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest();
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.subarray(0, 16).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** OSCAL's tokens and one-line texts hold no line breaks and no space at the ends. */
const line = (text: string): string => text.replaceAll(/\s+/g, ' ').trim().slice(0, 1_000) || '-';
const token = (text: string): string => text.replaceAll(/[^A-Za-z0-9_.-]/g, '-').replace(/^[^A-Za-z_]/, '_$&');
const prop = (name: string, value: string) => ({ name, ns: NAMESPACE, value: line(value) });
/** Lists hold one element at least; an empty one is left out. */
const some = (name: string, items: readonly object[]) => (items.length === 0 ? {} : { [name]: items });

interface Judged {
  readonly key: string;
  readonly title: string;
  readonly description: string;
  readonly isSatisfied: boolean;
  readonly severity: string | null;
  readonly method: 'EXAMINE' | 'INTERVIEW' | 'TEST';
  readonly evidence: readonly string[];
  readonly collected: number;
  readonly deadline?: string;
}

/** Everything that was judged of the vendor, of whatever kind, in one shape. */
function judgementsOf(file: VendorFileContent, at: number): Judged[] {
  const clauses = file.contracts.flatMap(({ id, title, check, createdAt }) =>
    check.clauses.map((one) => ({
      key: `clause-${one.id}-${id}`,
      title: one.title,
      description: one.reasons.join(' ') || `${title} holds the clause.`,
      isSatisfied: one.status === 'present',
      severity: one.severity,
      method: 'EXAMINE' as const,
      evidence: one.spans.map((span) => `${title}, page ${span.page}: ${span.text}`),
      collected: createdAt,
    })),
  );
  const answers = file.questionnaires.flatMap(({ id, title, answers: given, form }) => {
    const texts = new Map(form.sections.flatMap(({ questions }) => questions).map((one) => [one.id, one.text]));
    return given.map(({ questionId, value, review, by, at: answeredAt }) => {
      const said =
        value.answer === null ? '' : typeof value.answer === 'string' ? value.answer : value.answer.join('; ');
      return {
        key: `answer-${questionId}-${id}`,
        title: `${title} ${questionId}`,
        description: `${texts.get(questionId) ?? questionId}: ${said || 'no answer'}. ${value.note}`,
        isSatisfied: review === 'accepted',
        severity: null,
        method: 'INTERVIEW' as const,
        evidence: [`Answered by ${by}`],
        collected: answeredAt,
      };
    });
  });
  const contradictions = file.contradictions
    .filter(({ goneAt, decision }) => goneAt === null && decision === null)
    .map(({ id, title, severity, said, evidence, seenAt }) => ({
      key: `contradiction-${id}`,
      title,
      description: `Said: ${said.answers.join('; ')}.`,
      isSatisfied: false,
      severity,
      method: 'TEST' as const,
      evidence: evidence.map(({ text }) => text),
      collected: seenAt,
    }));
  const hosts = file.hosts.flatMap(({ host, port, observation }) => {
    if (observation === null) return [];
    return problemsOf(observation, at).map(({ code, severity, text }) => ({
      key: `host-${code}-${host}-${port}`,
      title: `${host}: ${code}`,
      description: text,
      isSatisfied: false,
      severity,
      method: 'TEST' as const,
      evidence: [],
      collected: observation.at,
    }));
  });
  const findings = file.findings.map(({ id, title, description, severity, state, createdAt, dueOn }) => ({
    key: `finding-${id}`,
    title,
    description: description || title,
    isSatisfied: state === 'closed',
    severity,
    method: 'TEST' as const,
    evidence: [`State: ${state}`],
    collected: createdAt,
    ...(dueOn === null ? {} : { deadline: `${dueOn}T23:59:59Z` }),
  }));
  return [...clauses, ...answers, ...contradictions, ...hosts, ...findings];
}

const idsOf = ({ key }: Judged) => ({ observation: uuidOf(`observation:${key}`), risk: uuidOf(`risk:${key}`) });
const isRisk = ({ isSatisfied, severity }: Judged): boolean => !isSatisfied && severity !== null;

function observation(one: Judged, subject: string) {
  return {
    uuid: idsOf(one).observation,
    title: line(one.title),
    description: line(one.description),
    ...(one.severity === null ? {} : { props: [prop('severity', one.severity)] }),
    methods: [one.method],
    types: ['control-objective'],
    subjects: [{ 'subject-uuid': subject, type: 'component' }],
    ...some(
      'relevant-evidence',
      one.evidence.map((text) => ({ description: line(text) })),
    ),
    collected: new Date(one.collected).toISOString(),
  };
}

function finding(one: Judged) {
  const { observation: seen, risk } = idsOf(one);
  return {
    uuid: uuidOf(`finding:${one.key}`),
    title: line(one.title),
    description: line(one.description),
    target: {
      type: 'objective-id',
      'target-id': token(one.key),
      status: { state: one.isSatisfied ? 'satisfied' : 'not-satisfied' },
    },
    'related-observations': [{ 'observation-uuid': seen }],
    ...(isRisk(one) ? { 'related-risks': [{ 'risk-uuid': risk }] } : {}),
  };
}

/** A vendor file as OSCAL assessment results (NIST OSCAL 1.1.3): what was looked at, what was found, what is at risk. */
export function vendorOscal(file: VendorFileContent, at: number): Record<string, unknown> {
  const { vendor, scores } = file;
  const now = new Date(at).toISOString();
  const subject = uuidOf(`vendor:${vendor.id}`);
  const judged = judgementsOf(file, at);
  const score = scores[0];
  const dates = judged.map(({ collected }) => collected);
  const begin = dates.reduce((least, one) => Math.min(least, one), at);
  return {
    'assessment-results': {
      uuid: uuidOf(`results:${vendor.id}:${at}`),
      metadata: {
        title: line(`Vendor assessment of ${vendor.name}`),
        'last-modified': now,
        version: now,
        'oscal-version': OSCAL_VERSION,
        props: [prop('vendor-id', vendor.id), prop('stage', vendor.stage)],
      },
      'import-ap': { href: '#cordon-vendor-assessment' },
      results: [
        {
          uuid: uuidOf(`result:${vendor.id}:${at}`),
          title: line(`Assessment of ${vendor.name}`),
          description: 'Contracts, answers, attestations, tests and observations of a vendor, as Cordon keeps them.',
          start: new Date(begin).toISOString(),
          end: now,
          ...(score
            ? {
                props: [prop('score-residual', String(score.residual)), prop('score-inherent', String(score.inherent))],
              }
            : {}),
          'local-definitions': {
            components: [
              {
                uuid: subject,
                type: 'service',
                title: line(vendor.name),
                description: line(vendor.profile.note || vendor.profile.products.join(', ') || vendor.name),
                status: { state: vendor.stage === 'ended' ? 'disposition' : 'operational' },
              },
            ],
          },
          'reviewed-controls': { 'control-selections': [{ 'include-all': {} }] },
          ...some(
            'observations',
            judged.map((one) => observation(one, subject)),
          ),
          ...some(
            'risks',
            judged.filter(isRisk).map((one) => ({
              uuid: idsOf(one).risk,
              title: line(one.title),
              description: line(one.description),
              statement: line(one.description),
              props: [prop('severity', one.severity ?? '')],
              status: 'open',
              ...(one.deadline === undefined ? {} : { deadline: one.deadline }),
            })),
          ),
          ...some('findings', judged.map(finding)),
        },
      ],
    },
  };
}
