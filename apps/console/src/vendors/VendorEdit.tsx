import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import Select from '@cloudscape-design/components/select';
import Textarea from '@cloudscape-design/components/textarea';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../api/api-client.ts';
import { fieldProblem, taken } from '../api/problem.ts';
import { useCommand } from '../api/use-command.ts';
import { FormDialog } from '../display/FormDialog.tsx';
import { listOf, parseContacts, showContacts } from './vendor-draft.ts';
import type { VendorDetail } from './vendor-queries.ts';

const TIERS = ['critical', 'high', 'medium', 'low', 'unrated'] as const;

/** Changes what the register says of a vendor. */
export function VendorEdit({ vendor, onClose }: { readonly vendor: VendorDetail; readonly onClose: () => void }) {
  const { profile } = vendor;
  const [name, setName] = useState(vendor.name);
  const [owner, setOwner] = useState(profile.owner);
  const [website, setWebsite] = useState(profile.website ?? '');
  const [tier, setTier] = useState(profile.tier);
  const [regions, setRegions] = useState(profile.regions.join(', '));
  const [products, setProducts] = useState(profile.products.join(', '));
  const [contacts, setContacts] = useState(showContacts(profile.contacts));
  const [appIds, setAppIds] = useState<readonly string[]>(vendor.appIds);
  const apps = useQuery({ queryKey: ['apps'], queryFn: async () => taken(await api.GET('/api/v1/apps')).items });
  const save = useCommand({
    run: async () => {
      const body = {
        name,
        owner,
        tier,
        appIds: [...appIds],
        website: website.trim() === '' ? null : website.trim(),
        regions: listOf(regions),
        products: listOf(products),
        contacts: parseContacts(contacts),
      };
      return taken(await api.PATCH('/api/v1/vendors/{id}', { params: { path: { id: vendor.id } }, body }));
    },
    done: `${name} is changed.`,
    changes: [['vendors'], ['audit']],
    onDone: onClose,
  });
  const tiers = TIERS.map((value) => ({ value, label: value }));
  const options = (apps.data ?? []).map((app) => ({ value: app.id, label: app.name }));
  const field = (label: string, value: string, set: (text: string) => void, problem: string, description?: string) => (
    <FormField label={label} errorText={fieldProblem(save.error, problem)} {...(description ? { description } : {})}>
      <Input value={value} onChange={({ detail }) => set(detail.value)} />
    </FormField>
  );
  return (
    <FormDialog
      title={`Edit ${vendor.name}`}
      button="Save"
      isReady={name.trim() !== ''}
      command={{ isPending: save.isPending, error: save.error, mutate: () => save.mutate(undefined) }}
      onClose={onClose}
    >
      {field('Name', name, setName, 'name')}
      {field(
        'Owner',
        owner,
        setOwner,
        'owner',
        'Who answers for this vendor; with a mail address, news is sent there.',
      )}
      {field('Website', website, setWebsite, 'website', 'It is looked at for its certificate, TLS and security.txt.')}
      <FormField label="Tier">
        <Select
          options={tiers}
          selectedOption={tiers.find(({ value }) => value === tier) ?? null}
          onChange={({ detail }) => setTier(TIERS.find((one) => one === detail.selectedOption.value) ?? tier)}
        />
      </FormField>
      {field('Regions', regions, setRegions, 'regions', 'Where data may be, by comma: EU, Germany, eu-west-1.')}
      {field('Products', products, setProducts, 'products', 'By comma.')}
      <FormField
        label="Contacts"
        description="One a line: name, address, role."
        errorText={fieldProblem(save.error, 'contacts')}
      >
        <Textarea value={contacts} rows={3} onChange={({ detail }) => setContacts(detail.value)} />
      </FormField>
      <FormField label="Apps">
        <Multiselect
          options={options}
          selectedOptions={options.filter(({ value }) => appIds.includes(value))}
          placeholder="Choose apps"
          deselectAriaLabel={({ label }) => `Take away ${label ?? ''}`}
          onChange={({ detail }) => setAppIds(detail.selectedOptions.flatMap(({ value }) => value ?? []))}
        />
      </FormField>
    </FormDialog>
  );
}
