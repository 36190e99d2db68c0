import Box from '@cloudscape-design/components/box';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { ProblemAlert } from './ProblemAlert.tsx';
import { RouteLink } from './RouteLink.tsx';

/** Shown in place of a page that failed while it was drawn. */
export function FailurePage({ error, reset }: { readonly error: unknown; readonly reset: () => void }) {
  return (
    <Box padding="l">
      <ProblemAlert error={error} onRetry={reset} />
    </Box>
  );
}

export function UnknownPage() {
  return (
    <Box padding="xxl" textAlign="center">
      <SpaceBetween size="s">
        <Box variant="h1">There is no such page</Box>
        <Box color="text-body-secondary">The address may be old or mistyped.</Box>
        <RouteLink href="/">Go to the map</RouteLink>
      </SpaceBetween>
    </Box>
  );
}
