import { fileURLToPath } from 'node:url';
import { loadCatalogue, loadRotationSteps } from '@cordon/discovery';

const CONTENT = fileURLToPath(new URL('../../../../content/', import.meta.url));

/** The catalogue of known apps, and how keys are replaced by hand. */
export function loadDiscoveryContent() {
  return { catalogue: loadCatalogue(`${CONTENT}catalogue`), steps: loadRotationSteps(`${CONTENT}rotation/steps.yaml`) };
}
