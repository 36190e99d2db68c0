import ColumnLayout from '@cloudscape-design/components/column-layout';
import FormField from '@cloudscape-design/components/form-field';
import Select from '@cloudscape-design/components/select';
import { optionOf, useScopeOptions } from './scope-pickers.ts';

interface Scope {
  /** Empty: any. */
  readonly appId: string;
  readonly integrationId: string;
}

/** The app and the integration that a rule is about. */
export function ScopeFields({ scope, set }: { readonly scope: Scope; readonly set: (part: Partial<Scope>) => void }) {
  const { appOptions, integrationOptions } = useScopeOptions();
  return (
    <ColumnLayout columns={2}>
      <FormField label="App">
        <Select
          selectedOption={optionOf(appOptions, scope.appId)}
          options={appOptions}
          onChange={({ detail }) => set({ appId: detail.selectedOption.value ?? '' })}
        />
      </FormField>
      <FormField label="Integration">
        <Select
          selectedOption={optionOf(integrationOptions, scope.integrationId)}
          options={integrationOptions}
          onChange={({ detail }) => set({ integrationId: detail.selectedOption.value ?? '' })}
        />
      </FormField>
    </ColumnLayout>
  );
}
