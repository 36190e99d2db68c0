import { useQuery } from '@tanstack/react-query';
import { appsQuery, integrationsQuery } from '../api/estate-queries.ts';

export interface ScopeOption {
  readonly value: string;
  readonly label: string;
}

/** Apps and integrations to choose from, each list led by "any". */
export function useScopeOptions() {
  const apps = useQuery(appsQuery);
  const integrations = useQuery(integrationsQuery);
  const appOptions: ScopeOption[] = [
    { value: '', label: 'Any app' },
    ...(apps.data ?? []).map(({ id, title }) => ({ value: id, label: title })),
  ];
  const integrationOptions: ScopeOption[] = [
    { value: '', label: 'Any integration' },
    ...(integrations.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
  ];
  const labelOf = (options: readonly ScopeOption[], id: string | null): string =>
    options.find(({ value }) => value === (id ?? ''))?.label ?? id ?? 'any';
  return {
    appOptions,
    integrationOptions,
    appLabel: (id: string | null) => labelOf(appOptions, id),
    integrationLabel: (id: string | null) => labelOf(integrationOptions, id),
  };
}

export function optionOf(options: readonly ScopeOption[], value: string): ScopeOption | null {
  return options.find((option) => option.value === value) ?? null;
}
