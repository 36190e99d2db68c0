import { JSON_LIMITS, type Violation } from '@cordon/openapi';
import { Refusal } from '../errors.ts';
import type { Exchange } from '../exchange.ts';

const EMPTY = Buffer.alloc(0);
const NO_QUERY = new URLSearchParams();

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value;
}

function invalid(violations: readonly Violation[], operation: string): Refusal {
  const first = violations[0]!; // called with at least one
  const place = first.pointer === '' ? first.in : `${first.in}${first.pointer}`;
  return new Refusal('gateway.request_invalid', `The request does not fit ${operation}: ${first.message} (${place}).`, {
    detail: {
      operation,
      errors: violations.map(({ in: where, pointer, field, keyword, message }) => ({
        in: where,
        pointer,
        field,
        keyword,
        message,
      })),
    },
  });
}

/** Checks parameters and body against the operation's description. */
export function checkRequest(exchange: Exchange): void {
  const { app, request, operation } = exchange;
  const described = operation!.described; // the operation step refused the call otherwise
  if (!described || app.entry.validateRequests === 'off') return;
  const { table } = described;
  const mark = exchange.path.indexOf('?');
  const violations = table.checkParameters(described.operation, {
    path: operation!.parameters,
    query: mark === -1 ? NO_QUERY : new URLSearchParams(exchange.path.slice(mark + 1)),
    header: (name) => textOf(request.headers[name]),
  });
  const limits = { ...JSON_LIMITS, depthMax: app.entry.limits.jsonDepthMax };
  // A body that isn't held (a file) is checked for its type only.
  const body = exchange.requestStream === undefined ? (exchange.requestBody ?? EMPTY) : null;
  const contentType = request.headers['content-type'] ?? null;
  violations.push(...table.checkBody(described.operation, contentType, body, limits));
  if (violations.length === 0) return;
  if (app.entry.validateRequests === 'enforce') throw invalid(violations, operation!.id);
  exchange.notes.push('request-invalid');
}
