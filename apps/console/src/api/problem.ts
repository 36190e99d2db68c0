import { isProblem, type Problem } from '@cordon/client';

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** What the server answered instead of data: RFC 9457 problem details, or that it could not be reached. */
export class ApiProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.name = 'ApiProblem';
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }

  /** Id under which the server logged this refusal. */
  get requestId(): string | undefined {
    const { instance } = this.problem;
    return typeof instance === 'string' ? instance.split(':').at(-1) : undefined;
  }

  get fields(): readonly FieldProblem[] {
    const { fields, problems } = this.problem;
    const named = Array.isArray(fields) ? fields.filter(isFieldProblem) : [];
    return [...named, ...(Array.isArray(problems) ? problems.flatMap(readTextProblem) : [])];
  }
}

/** What is wrong in a policy's text, with its place: `{ line, column, message, help }`. */
function readTextProblem(value: unknown): FieldProblem[] {
  if (typeof value !== 'object' || value === null || !('message' in value)) return [];
  const { line, column, message, help } = value as Record<string, unknown>; // an object, as just checked
  const place = typeof line === 'number' ? `Line ${line}, column ${String(column)}: ` : '';
  return [{ field: 'body.text', message: `${place}${String(message)}${typeof help === 'string' ? ` (${help})` : ''}` }];
}

function isFieldProblem(value: unknown): value is FieldProblem {
  return typeof value === 'object' && value !== null && 'field' in value && 'message' in value;
}

/** Any failure as a problem: what has no problem document never reached the API. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const detail = error instanceof Error ? error.message : 'Something went wrong.';
  const unreachable = error instanceof TypeError;
  return new ApiProblem({
    status: 0,
    title: unreachable ? 'Cordon can’t be reached' : 'Something went wrong',
    detail: unreachable ? 'Check that Cordon is running and that this machine can reach it, then try again.' : detail,
    code: unreachable ? 'console.unreachable' : 'console.unexpected',
  });
}

/** The data of an answer; throws `ApiProblem` for a refusal. */
export function taken<Data>(answer: { data?: Data; error?: unknown; response: Response }): Data {
  const { error, response } = answer;
  if (response.ok) return answer.data as Data; // 204 has none, and its type says so
  if (isProblem(error)) throw new ApiProblem(error);
  throw new ApiProblem({
    status: response.status,
    title: 'Something went wrong',
    detail: `The server answered ${response.status} without saying why.`,
    code: 'console.no_problem',
  });
}

/** The server's message about one field of a request body, for the form field that holds it. */
export function fieldProblem(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiProblem)) return undefined;
  const found = error.fields.find((one) => {
    const name = one.field.replace(/^body\.?/, '');
    return name === field || name.startsWith(`${field}.`);
  });
  return found?.message;
}
