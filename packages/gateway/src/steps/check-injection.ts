import {
  createInjectionDetector,
  type InjectionFinding,
  type InspectOptions,
  type SchemaHint,
} from '@cordon/injection';
import type { AppEntry } from '@cordon/policy';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';

/** Stateless, so that one serves every call. */
export const injectionDetector = createInjectionDetector();
const detector = injectionDetector;
const FORM = 'application/x-www-form-urlencoded';
const FINDINGS_TOLD_MAX = 5;

type Exception = AppEntry['injectionExceptions'][number];

/** What the description says of fields decides which attacks they could carry. */
function optionsFor(exchange: Exchange): InspectOptions {
  const described = exchange.operation!.described; // the operation step refused the call otherwise
  if (!described) return {};
  const { table, operation } = described;
  const contentType = exchange.request.headers['content-type'] ?? null;
  return {
    schema: (place, tokens): SchemaHint | undefined => table.schemaAt(operation, place, tokens, contentType),
    enforced: exchange.app.entry.validateRequests === 'enforce',
  };
}

/** Path parameters by name; of a path that no description knows, its segments by number. */
function pathValues(exchange: Exchange): Readonly<Record<string, string>> {
  const { template, parameters } = exchange.operation!; // as above
  // Their parameters are arguments of the body, which is looked at as such.
  if (exchange.isGraphql || exchange.app.entry.mcp) return {};
  if (template !== null) return parameters;
  const mark = exchange.path.indexOf('?');
  const segments = (mark === -1 ? exchange.path : exchange.path.slice(0, mark)).split('/').slice(1);
  return Object.fromEntries(segments.map((segment, index) => [String(index), decoded(segment)]));
}

function decoded(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // the lenient decoder of the detector reads it
  }
}

function inspectBody(exchange: Exchange, options: InspectOptions): InjectionFinding[] {
  const { requestBody: body, requestType: type } = exchange;
  if (!body || body.length === 0) return [];
  if (type === FORM) return detector.inspectForm('body', body.toString('utf8'), options);
  if (type === 'multipart/form-data') {
    const found = detector.inspectMultipart(exchange.request.headers['content-type'] ?? '', body, options);
    if (found) return found;
    if (exchange.app.entry.injection === 'refuse') throw ambiguous();
    exchange.notes.push('multipart-ambiguous');
    return detector.inspectPlain(body.toString('utf8'), options);
  }
  if (/[/+]xml$/.test(type)) return detector.inspectXml(body.toString('utf8'), options);
  // Bodies without a type are JSON to most who read them.
  const json = type === '' || /json/.test(type) || body[0] === 0x7b || body[0] === 0x5b;
  return json ? detector.inspectJson(body, options) : detector.inspectPlain(body.toString('utf8'), options);
}

const ambiguous = (): Refusal =>
  new Refusal(
    'gateway.request_malformed',
    'The form with files could be read in more than one way. Send it as RFC 7578 says: no preamble or epilogue, one name for each part, no transfer encoding.',
  );

/** Whether a pointer is the one an exception names; `*` stands for any one token. */
function fits(pattern: string, pointer: string): boolean {
  if (!pattern.includes('*')) return pattern === pointer;
  const wanted = pattern.split('/');
  const given = pointer.split('/');
  return wanted.length === given.length && wanted.every((token, index) => token === '*' || token === given[index]);
}

export function isExcepted(
  finding: InjectionFinding,
  exceptions: readonly Exception[],
  operationId: string,
  now: number,
): boolean {
  return exceptions.some(
    (exception) =>
      exception.in === finding.in &&
      exception.expiresAt > now &&
      (exception.kind === null || exception.kind === finding.kind) &&
      (exception.operationId === null || exception.operationId === operationId) &&
      fits(exception.pointer, finding.pointer),
  );
}

const placeOf = (finding: InjectionFinding): string => `${finding.in}${finding.pointer}`;

function refusal(findings: readonly InjectionFinding[]): Refusal {
  const first = findings[0]!; // called with at least one
  return new Refusal(
    'gateway.injection_refused',
    `The value at ${placeOf(first)} reads like an attack (${first.kind}, ${first.rule}). This app refuses such calls; if the field may hold it, an operator can add an exception for it.`,
    {
      detail: {
        findings: findings.slice(0, FINDINGS_TOLD_MAX).map(({ in: where, pointer, kind, rule, evidence }) => ({
          in: where,
          pointer,
          kind,
          rule,
          evidence,
        })),
      },
    },
  );
}

/** Notes the first few of them in the call's event. */
export function addInjectionFindings(
  exchange: Exchange,
  findings: readonly InjectionFinding[],
  direction: 'request' | 'response',
  action: 'block' | 'log',
): void {
  for (const finding of findings.slice(0, FINDINGS_TOLD_MAX)) {
    exchange.addFinding({
      class: `injection.${finding.kind}`,
      direction,
      count: 1,
      action,
      place: placeOf(finding),
      evidence: `${finding.rule}: ${finding.evidence}`,
    });
  }
}

/** Texts that stand in a GraphQL document itself rather than in its variables. */
function inspectLiterals({ literals }: Exchange, options: InspectOptions): InjectionFinding[] {
  return Object.entries(literals).flatMap(
    ([at, text]) => detector.inspectValue('body', at.split('/').slice(0, -1), text, options) ?? [],
  );
}

/** Looks for injection attempts in path, query, headers and body: notes them, or refuses the call, as the app says. */
export function checkInjection(exchange: Exchange): void {
  const { app, request, operation } = exchange;
  const { injection: mode, injectionExceptions } = app.entry;
  if (mode === 'off') return;
  const options = optionsFor(exchange);
  const mark = exchange.path.indexOf('?');
  const query = mark === -1 ? [] : detector.inspectForm('query', exchange.path.slice(mark + 1), options);
  const found = [
    ...detector.inspectPath(pathValues(exchange), options),
    ...query,
    ...detector.inspectHeaders(request.rawHeaders, options),
    ...inspectBody(exchange, options),
    ...inspectLiterals(exchange, options),
  ];
  if (found.length === 0) return;
  const counted = found.filter(
    (finding) => !isExcepted(finding, injectionExceptions, operation!.id, exchange.startedAt), // as above
  );
  if (counted.length === 0) return;
  addInjectionFindings(exchange, counted, 'request', mode === 'refuse' ? 'block' : 'log');
  if (mode === 'refuse') throw refusal(counted);
}
