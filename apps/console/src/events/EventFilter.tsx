import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import PropertyFilter, { type PropertyFilterProps } from '@cloudscape-design/components/property-filter';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { EVENT_FIELDS } from './event-fields.ts';
import { type Asked, valuesQuery } from './event-queries.ts';
import { type FilterQuery, readQuery, writeQuery } from './query-text.ts';

const TEXT_OPERATORS = ['=', '!=', ':', '!:', '^'] as const;
const NUMBER_OPERATORS = ['=', '!=', '>', '>=', '<', '<='] as const;

const PROPERTIES: PropertyFilterProps.FilteringProperty[] = EVENT_FIELDS.map(({ key, label, group, kind }) => ({
  key,
  propertyLabel: label,
  groupValuesLabel: label,
  group,
  operators:
    kind === 'number'
      ? NUMBER_OPERATORS
      : kind === 'id'
        ? ['=', '!=']
        : kind === 'choice'
          ? [{ operator: '=', tokenType: 'enum' }, { operator: '!=', tokenType: 'enum' }, ':', '!:', '^']
          : TEXT_OPERATORS,
}));

function toTokens({ tokens, operation }: FilterQuery): PropertyFilterProps.Query {
  const isChoice = (key: string | undefined): boolean =>
    EVENT_FIELDS.find((field) => field.key === key)?.kind === 'choice';
  return {
    operation,
    tokens: tokens.map((token) => ({
      ...token,
      // A choice with = or != is drawn from a list of values.
      value:
        isChoice(token.propertyKey) && ['=', '!='].includes(token.operator) && typeof token.value === 'string'
          ? [token.value]
          : token.value,
    })),
  };
}

function fromTokens({ tokens, operation }: PropertyFilterProps.Query): FilterQuery {
  return {
    operation,
    tokens: tokens.map(({ propertyKey, operator, value }) => ({
      ...(propertyKey === undefined ? {} : { propertyKey }),
      operator,
      value: value as string | readonly string[], // no property has a form of its own
    })),
  };
}

/**
 * The search, as tokens or as text: both are the same text of the search language. What tokens can't hold is edited as
 * text.
 */
export function EventFilter({
  text,
  asked,
  error,
  onChange,
}: {
  readonly text: string;
  readonly asked: Asked;
  readonly error: string | undefined;
  readonly onChange: (text: string) => void;
}) {
  const filter = readQuery(text);
  const [wantsText, setWantsText] = useState(false);
  const isText = wantsText || filter === null;
  return (
    <SpaceBetween size="xs">
      {isText ? (
        <TextSearch text={text} error={error} onChange={onChange} />
      ) : (
        <TokenSearch filter={filter} asked={asked} error={error} onChange={onChange} />
      )}
      <Toggle checked={isText} disabled={filter === null} onChange={({ detail }) => setWantsText(detail.checked)}>
        Write the search as text
      </Toggle>
    </SpaceBetween>
  );
}

function TokenSearch({
  filter,
  asked,
  error,
  onChange,
}: {
  readonly filter: FilterQuery;
  readonly asked: Asked;
  readonly error: string | undefined;
  readonly onChange: (text: string) => void;
}) {
  const [property, setProperty] = useState<string | null>(null);
  const values = useQuery({ ...valuesQuery(property ?? '', asked), enabled: property !== null });
  const options = property === null ? [] : (values.data ?? []);
  return (
    <FormField stretch errorText={error}>
      <PropertyFilter
        query={toTokens(filter)}
        onChange={({ detail }) => onChange(writeQuery(fromTokens(detail)))}
        filteringProperties={PROPERTIES}
        filteringOptions={options.map(({ value, count }) => ({
          propertyKey: property ?? '',
          value,
          label: value,
          tags: [String(count)],
        }))}
        filteringStatusType={property !== null && values.isFetching ? 'loading' : 'finished'}
        filteringLoadingText="Loading values"
        onLoadItems={({ detail }) => setProperty(detail.filteringProperty?.key ?? null)}
        expandToViewport
        hideOperations={false}
        filteringAriaLabel="Filter events"
        filteringPlaceholder="Filter by property or any text"
        countText=""
      />
    </FormField>
  );
}

function TextSearch({
  text,
  error,
  onChange,
}: {
  readonly text: string;
  readonly error: string | undefined;
  readonly onChange: (text: string) => void;
}) {
  const [draft, setDraft] = useState(text);
  useEffect(() => setDraft(text), [text]);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        onChange(draft);
      }}
    >
      <FormField
        stretch
        errorText={error}
        constraintText='field:value, "a phrase", -not, ( ), or, latency>200, http_status:5xx, path:/repos/*'
        secondaryControl={<Button formAction="submit">Search</Button>}
      >
        <Input
          type="search"
          ariaLabel="Search text"
          value={draft}
          spellcheck={false}
          onChange={({ detail }) => setDraft(detail.value)}
        />
      </FormField>
    </form>
  );
}
