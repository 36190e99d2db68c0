import type { Catalogue } from './catalogue.ts';
import type { ExceptedResult } from './exception.ts';

const OSCAL_VERSION = '1.1.3';
const TITLE_CHARS_MAX = 1_000;
const NAMESPACE = 'https://cordon.example/ns/oscal';

export interface OscalOptions {
  app: { id: string; name: string };
  /** Milliseconds since the epoch. */
  now: number;
  /** A fresh UUID each time it is called. */
  newUuid: () => string;
  /** The assessment plan these results answer to; OSCAL wants a reference, also to a plan that is only named. */
  planHref?: string;
}

interface Prop {
  name: string;
  value: string;
  ns: string;
}

const prop = (name: string, value: string): Prop => ({ name, value, ns: NAMESPACE });

/** What was judged of one app. */
export interface JudgedApp {
  readonly app: OscalOptions['app'];
  readonly results: readonly ExceptedResult[];
}

/**
 * Results as an OSCAL assessment-results document (NIST OSCAL 1.1, layer Assessment Results): one observation for each
 * check with what was looked at, one finding for each check that was judged, one risk for each that failed.
 */
export function toAssessmentResults(
  results: readonly ExceptedResult[],
  catalogue: Catalogue,
  options: OscalOptions,
): Record<string, unknown> {
  return toAssessmentOfApps([{ app: options.app, results }], catalogue, options);
}

/** The same for several apps: a result for each of them. At least one must be given (OSCAL lists are never empty). */
export function toAssessmentOfApps(
  apps: readonly JudgedApp[],
  catalogue: Catalogue,
  options: Omit<OscalOptions, 'app'>,
): Record<string, unknown> {
  const at = new Date(options.now).toISOString();
  return {
    'assessment-results': {
      uuid: options.newUuid(),
      metadata: {
        title: `Posture of ${apps.map(({ app }) => app.name).join(', ')}`.slice(0, TITLE_CHARS_MAX),
        'last-modified': at,
        version: at,
        'oscal-version': OSCAL_VERSION,
      },
      'import-ap': { href: options.planHref ?? '#cordon-posture' },
      results: apps.map(({ app, results }) => resultOf(results, catalogue, { ...options, app }, at)),
    },
  };
}

function resultOf(results: readonly ExceptedResult[], catalogue: Catalogue, options: OscalOptions, at: string) {
  const observations = new Map(results.map((result) => [result.check, options.newUuid()]));
  const risks = new Map(
    results.filter(({ result }) => result === 'fail').map((result) => [result.check, options.newUuid()]),
  );
  const judged = results.filter(({ result }) => result === 'pass' || result === 'fail');
  const findingOf = (result: ExceptedResult) =>
    finding(result, { observation: observations.get(result.check) ?? '', risk: risks.get(result.check) }, options);
  return {
    uuid: options.newUuid(),
    title: `Posture checks of ${options.app.name}`,
    description: 'Settings read through the app’s own interfaces and judged by Cordon’s checks.',
    start: at,
    'reviewed-controls': { 'control-selections': [controlSelection(results, catalogue)] },
    ...(results.length === 0
      ? {}
      : { observations: results.map((result) => observation(result, observations.get(result.check) ?? '', options)) }),
    ...(risks.size === 0
      ? {}
      : {
          risks: results
            .filter(({ check }) => risks.has(check))
            .map((result) => risk(result, risks.get(result.check) ?? '', catalogue)),
        }),
    ...(judged.length === 0 ? {} : { findings: judged.map(findingOf) }),
  };
}

/** OSCAL lists hold one element at least, so a selection without controls is a selection of all. */
function controlSelection(results: readonly ExceptedResult[], catalogue: Catalogue) {
  const ids = new Set(results.flatMap(({ check }) => catalogue.find(check)?.check.mapping.nist_csf ?? []));
  if (ids.size === 0) return { 'include-all': {} };
  return { 'include-controls': [...ids].toSorted().map((id) => ({ 'control-id': id.toLowerCase() })) };
}

function observation(result: ExceptedResult, uuid: string, { app, now }: OscalOptions) {
  return {
    uuid,
    title: result.check,
    description: result.reason,
    props: [prop('result', result.result), prop('severity', result.severity)],
    methods: ['TEST'],
    types: ['control-objective'],
    subjects: [{ 'subject-uuid': app.id, type: 'component', title: app.name }],
    ...(result.evidence.length === 0
      ? {}
      : {
          'relevant-evidence': result.evidence.map(({ path, value }) => ({
            description: value === undefined ? path : `${path} = ${value}`,
          })),
        }),
    collected: new Date(now).toISOString(),
  };
}

function finding(
  result: ExceptedResult,
  related: { observation: string; risk: string | undefined },
  options: OscalOptions,
) {
  return {
    uuid: options.newUuid(),
    title: result.title,
    description: result.reason,
    target: {
      type: 'objective-id',
      'target-id': result.check,
      status: { state: result.result === 'pass' ? 'satisfied' : 'not-satisfied', reason: result.result },
    },
    'related-observations': [{ 'observation-uuid': related.observation }],
    ...(related.risk === undefined ? {} : { 'related-risks': [{ 'risk-uuid': related.risk }] }),
  };
}

function risk(result: ExceptedResult, uuid: string, catalogue: Catalogue) {
  const check = catalogue.find(result.check)?.check;
  const isExcepted = result.exception?.state === 'active';
  return {
    uuid,
    title: result.title,
    description: check?.rationale ?? result.reason,
    statement: result.reason,
    props: [prop('severity', result.severity)],
    status: isExcepted ? 'deviation-approved' : 'open',
    ...(result.exception === null ? {} : { deadline: new Date(result.exception.expiresAt).toISOString() }),
  };
}
