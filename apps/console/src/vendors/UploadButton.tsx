import FileInput from '@cloudscape-design/components/file-input';
import { base64Of } from '../portal/portal-api.ts';

export interface UploadedFile {
  readonly name: string;
  readonly content: string;
}

/** A button that takes one file and hands it on as the API wants it. */
export function UploadButton({
  label,
  accept,
  onFile,
}: {
  readonly label: string;
  readonly accept?: string;
  readonly onFile: (file: UploadedFile) => void;
}) {
  return (
    <FileInput
      value={[]}
      ariaLabel={label}
      {...(accept === undefined ? {} : { accept })}
      onChange={({ detail }) => {
        const [file] = detail.value;
        if (file) void base64Of(file).then((content) => onFile({ name: file.name, content }));
      }}
    >
      {label}
    </FileInput>
  );
}
