import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { QueryState } from '../shell/QueryState.tsx';
import { type DataPlace, LABELS, placesQuery } from './data-queries.ts';

interface PlaceFormProps {
  /** An app's name, or `integration:id`. */
  readonly app: string;
  readonly title: string;
  readonly onClose: () => void;
}

/** Where an app or integration is, who runs it, and how sensitive what it holds may be. */
export function PlaceForm(props: PlaceFormProps) {
  const places = useQuery(placesQuery);
  return (
    <QueryState query={places}>
      {(all) => <Form {...props} place={all.find((one) => one.app === props.app) ?? null} />}
    </QueryState>
  );
}

const ANY = { value: '', label: 'Not said' };
const OPTIONS = [ANY, ...LABELS.map((label) => ({ value: label as string, label }))];
const textOrNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());

function Form({ app, title, onClose, place }: PlaceFormProps & { readonly place: DataPlace | null }) {
  const [region, setRegion] = useState(place?.region ?? '');
  const [vendor, setVendor] = useState(place?.vendor ?? '');
  const [clearance, setClearance] = useState<string>(place?.clearance ?? '');
  const save = useCommand({
    run: async () => {
      const label = LABELS.find((one) => one === clearance) ?? null;
      const body = { region: textOrNull(region), vendor: textOrNull(vendor), clearance: label };
      taken(await api.PUT('/api/v1/data/places/{app}', { params: { path: { app } }, body }));
    },
    done: 'Kept; map, transfers and record show it.',
    changes: [['data'], ['audit']],
    onDone: onClose,
  });
  return (
    <FormDialog
      title={`Where ${title} is`}
      button="Keep"
      command={{ isPending: save.isPending, error: save.error, mutate: () => save.mutate(undefined) }}
      onClose={onClose}
    >
      <FormField label="Region" description="A country, or a cloud's region: DE, eu-central-1, United States.">
        <Input value={region} onChange={({ detail }) => setRegion(detail.value)} />
      </FormField>
      <FormField label="Vendor" description="Who runs it; the importer of a transfer unless another is said.">
        <Input value={vendor} onChange={({ detail }) => setVendor(detail.value)} />
      </FormField>
      <FormField label="Cleared up to" description="What is labelled above this here is shown in the spread.">
        <Select
          options={OPTIONS}
          selectedOption={OPTIONS.find(({ value }) => value === clearance) ?? ANY}
          onChange={({ detail }) => setClearance(detail.selectedOption.value ?? '')}
        />
      </FormField>
    </FormDialog>
  );
}
