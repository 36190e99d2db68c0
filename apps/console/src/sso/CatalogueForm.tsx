import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Link from '@cloudscape-design/components/link';
import SpaceBetween from '@cloudscape-design/components/space-between';
import type { SsoCatalogueEntry } from '../api/wire.ts';

interface CatalogueFormProps {
  readonly entry: SsoCatalogueEntry;
  readonly values: Readonly<Record<string, string>>;
  readonly onChange: (values: Readonly<Record<string, string>>) => void;
}

/** What a tool of the catalogue must be told here; the rest of its settings is ready. */
export function CatalogueForm({ entry, values, onChange }: CatalogueFormProps) {
  return (
    <SpaceBetween size="m">
      {entry.fields.map(({ name, title, help, example }) => (
        <FormField key={name} label={title} description={help}>
          <Input
            value={values[name] ?? ''}
            placeholder={example}
            onChange={({ detail }) => onChange({ ...values, [name]: detail.value })}
          />
        </FormField>
      ))}
      {entry.evidence === 'described' ? (
        <Alert type="info">
          These settings follow the{' '}
          <Link href={entry.sources[0] ?? '#'} external>
            documentation of {entry.vendor}
          </Link>
          . Nobody has tried them with the service itself: begin with one person.
        </Alert>
      ) : null}
      {entry.needs === null ? null : <Box color="text-body-secondary">At the tool you need: {entry.needs}</Box>}
    </SpaceBetween>
  );
}

/** What to do at the tool, with Cordon's addresses filled in. */
export function CatalogueSteps({ steps }: { readonly steps: readonly string[] }) {
  return (
    <ol>
      {steps.map((step) => (
        <li key={step} className="sso-step">
          {step}
        </li>
      ))}
    </ol>
  );
}
