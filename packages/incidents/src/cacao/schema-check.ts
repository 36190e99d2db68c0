import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';

const ERRORS_MAX = 50;

function filesUnder(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) return filesUnder(path);
      return name.endsWith('.json') ? [path] : [];
    });
}

/**
 * The JSON schemas of OASIS (`content/playbooks/schemas`) in draft-07 mode, in which they name themselves. Returns
 * what the schemas say against a document: JSON pointer and message.
 */
export function createSchemaCheck(folder: string): (document: unknown) => { path: string; message: string }[] {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, logger: false });
  for (const file of filesUnder(folder)) ajv.addSchema(JSON.parse(readFileSync(file, 'utf8')) as object); // ajv checks it
  const validate = ajv.getSchema(
    'https://raw.githubusercontent.com/oasis-open/cacao-json-schemas/main/schemas/playbook.json',
  );
  if (!validate) throw new Error(`${folder} holds no playbook.json of OASIS.`);
  return (document) => {
    if (validate(document) === true) return [];
    return (validate.errors ?? [])
      .slice(0, ERRORS_MAX)
      .map(({ instancePath, message }) => ({ path: instancePath, message: message ?? 'is wrong' }));
  };
}
