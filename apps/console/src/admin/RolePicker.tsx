import FormField from '@cloudscape-design/components/form-field';
import Multiselect from '@cloudscape-design/components/multiselect';
import { type Role, ROLES } from '../api/wire.ts';

const ROLE_TEXT: Readonly<Record<Role, string>> = {
  owner: 'Everything, people and the system among it',
  security: 'Apps, integrations, grants, policies, cut-offs',
  developer: 'Registers integrations and their credentials',
  'app-owner': 'Apps, their credentials, and who may call them',
  responder: 'Cuts off, disables people, reads events',
  auditor: 'Reads everything, changes nothing',
};

export function RolePicker({
  roles,
  allowed = ROLES,
  onChange,
}: {
  readonly roles: readonly Role[];
  readonly allowed?: readonly Role[];
  readonly onChange: (roles: readonly Role[]) => void;
}) {
  const options = allowed.map((role) => ({ value: role, label: role, description: ROLE_TEXT[role] }));
  return (
    <FormField label="Roles">
      <Multiselect
        placeholder="Choose roles"
        expandToViewport
        keepOpen={false}
        options={options}
        selectedOptions={options.filter(({ value }) => roles.includes(value))}
        onChange={({ detail }) =>
          onChange(ROLES.filter((role) => detail.selectedOptions.some((one) => one.value === role)))
        }
      />
    </FormField>
  );
}
