import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import { useQuery } from '@tanstack/react-query';
import { showShortCount } from '../display/number.ts';
import { QueryState } from '../shell/QueryState.tsx';
import { FACET_FIELDS, fieldLabel } from './event-fields.ts';
import { type Asked, facetsQuery } from './event-queries.ts';

const SHOWN_MAX = 8;
const OPEN_FIRST = new Set<string>(['decision', 'integration', 'app', 'reason']);

/** The most frequent values of the fields that matter most; a click narrows the search to one. */
export function FacetList({
  asked,
  onPick,
}: {
  readonly asked: Asked;
  readonly onPick: (field: string, value: string) => void;
}) {
  const facets = useQuery(facetsQuery(asked));
  return (
    <QueryState query={facets}>
      {(fields) => (
        <nav aria-label="Narrow the search">
          {FACET_FIELDS.map((field) => {
            const values = (fields[field] ?? []).filter(({ value }) => value !== '');
            if (values.length === 0) return null;
            return (
              <ExpandableSection
                key={field}
                headerText={fieldLabel(field)}
                headingTagOverride="h3"
                defaultExpanded={OPEN_FIRST.has(field)}
              >
                {values.slice(0, SHOWN_MAX).map(({ value, count }) => (
                  <div key={value} className="facet">
                    <Button
                      variant="inline-link"
                      ariaLabel={`${fieldLabel(field)} ${value}, ${count} events`}
                      onClick={() => onPick(field, value)}
                    >
                      {value}
                    </Button>
                    <Box variant="span" fontSize="body-s" color="text-body-secondary">
                      {showShortCount(count)}
                    </Box>
                  </div>
                ))}
              </ExpandableSection>
            );
          })}
        </nav>
      )}
    </QueryState>
  );
}
