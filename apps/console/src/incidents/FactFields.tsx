import FormField from '@cloudscape-design/components/form-field';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';

export type Said = Readonly<Record<string, boolean | null>>;

/** Each fact is yes, no or not known; an open one keeps a duty undecided. */
export function FactFields(props: {
  readonly questions: Readonly<Record<string, string>>;
  readonly known: Readonly<Record<string, boolean>>;
  readonly said: Said;
  readonly onSay: (said: Said) => void;
}) {
  const { questions, known, said, onSay } = props;
  const valueOf = (name: string): boolean | null => {
    const now = said[name];
    return now === undefined ? (known[name] ?? null) : now;
  };
  return (
    <SpaceBetween size="m">
      {Object.entries(questions).map(([name, text]) => {
        const value = valueOf(name);
        return (
          <FormField key={name} label={<span id={`fact-${name}`}>{text}</span>}>
            <SegmentedControl
              ariaLabelledby={`fact-${name}`}
              selectedId={value === null ? 'open' : value ? 'yes' : 'no'}
              options={[
                { id: 'yes', text: 'Yes' },
                { id: 'no', text: 'No' },
                { id: 'open', text: 'Not known' },
              ]}
              onChange={({ detail }) =>
                onSay({ ...said, [name]: detail.selectedId === 'open' ? null : detail.selectedId === 'yes' })
              }
            />
          </FormField>
        );
      })}
    </SpaceBetween>
  );
}
