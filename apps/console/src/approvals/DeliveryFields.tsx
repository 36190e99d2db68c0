import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';

export type DeliveryMode = 'poll' | 'ping' | 'push';

export interface Delivery {
  readonly mode: DeliveryMode;
  readonly endpoint: string;
}

const MODES = [
  { value: 'poll', label: 'It asks (poll)', description: 'No address is needed.' },
  {
    value: 'ping',
    label: 'It is told, and fetches the token (ping)',
    description: 'Recommended where it can be told.',
  },
  { value: 'push', label: 'The token is sent to it (push)', description: 'The token is bound to no key.' },
] as const;

/** What the API takes for it; undefined when the client asks by itself. */
export function deliveryOf({ mode, endpoint }: Delivery): { mode: 'ping' | 'push'; endpoint: string } | undefined {
  return mode === 'poll' ? undefined : { mode, endpoint };
}

/** How a client learns that a person decided about a call. */
export function DeliveryFields({
  value,
  problem,
  onChange,
}: {
  readonly value: Delivery;
  readonly problem: string | undefined;
  readonly onChange: (value: Delivery) => void;
}) {
  return (
    <SpaceBetween size="m">
      <FormField label="How it learns of approvals">
        <Select
          expandToViewport
          options={MODES}
          selectedOption={MODES.find((mode) => mode.value === value.mode) ?? null}
          onChange={({ detail }) => {
            const mode = MODES.find((one) => one.value === detail.selectedOption.value)?.value;
            if (mode) onChange({ ...value, mode });
          }}
        />
      </FormField>
      {value.mode === 'poll' ? null : (
        <FormField
          label="Told at"
          description="An https address on the public internet. Told until it answers, as long as the decision is worth something."
          errorText={problem}
        >
          <Input
            type="url"
            value={value.endpoint}
            placeholder="https://client.example/cordon"
            onChange={({ detail }) => onChange({ ...value, endpoint: detail.value })}
          />
        </FormField>
      )}
    </SpaceBetween>
  );
}
