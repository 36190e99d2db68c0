import FileUpload from '@cloudscape-design/components/file-upload';
import FormField from '@cloudscape-design/components/form-field';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';

/** An OpenAPI document, from a file or pasted. Drawn shortened: a large one would freeze a text area. */
const SHOWN_CHARS_MAX = 20_000;

export function DescriptionField({
  document,
  errorText,
  onChange,
}: {
  readonly document: string;
  readonly errorText?: string | undefined;
  readonly onChange: (document: string) => void;
}) {
  const [files, setFiles] = useState<readonly File[]>([]);
  const isLong = document.length > SHOWN_CHARS_MAX;
  return (
    <FormField
      label="API description"
      description="OpenAPI 3.0 or 3.1, JSON or YAML. Grants, validation and the refusal of unknown calls come from it."
      errorText={errorText}
      stretch
    >
      <SpaceBetween size="xs">
        <FileUpload
          value={[...files]}
          accept=".json,.yaml,.yml"
          showFileSize
          onChange={({ detail }) => {
            setFiles(detail.value);
            const [file] = detail.value;
            if (!file) onChange('');
            else void file.text().then(onChange);
          }}
          i18nStrings={{
            uploadButtonText: () => 'Choose file',
            dropzoneText: () => 'Drop the file here',
            removeFileAriaLabel: () => 'Remove the file',
            limitShowFewer: 'Fewer',
            limitShowMore: 'More',
            errorIconAriaLabel: 'Error',
          }}
        />
        <Textarea
          ariaLabel="API description as text"
          rows={6}
          spellcheck={false}
          readOnly={isLong}
          placeholder="Or paste it here"
          value={isLong ? `${document.slice(0, SHOWN_CHARS_MAX)}\n… ${document.length} characters` : document}
          onChange={({ detail }) => onChange(detail.value)}
        />
      </SpaceBetween>
    </FormField>
  );
}
