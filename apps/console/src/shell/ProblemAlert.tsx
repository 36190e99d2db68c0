import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import { asProblem } from '../api/problem.ts';

/** A refusal or failure as the server put it, with the id under which it is in the log. */
export function ProblemAlert({
  error,
  onRetry,
}: {
  readonly error: unknown;
  readonly onRetry?: (() => void) | undefined;
}) {
  if (error === null || error === undefined) return null;
  const failure = asProblem(error);
  const { problem, requestId, fields } = failure;
  return (
    <Alert
      type={problem.status === 403 ? 'warning' : 'error'}
      header={problem.title}
      action={onRetry ? <Button onClick={onRetry}>Try again</Button> : undefined}
    >
      {fields.length > 1 ? (
        <ul>
          {fields.map(({ field, message }) => (
            <li key={`${field} ${message}`}>
              <strong>{field.replace(/^body\.?/, '')}</strong>: {message}
            </li>
          ))}
        </ul>
      ) : (
        <Box color="inherit">{problem.detail}</Box>
      )}
      {requestId === undefined ? null : (
        <Box fontSize="body-s" color="text-body-secondary">
          {problem.code} · request {requestId}
        </Box>
      )}
    </Alert>
  );
}
