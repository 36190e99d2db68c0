import type { Migrations } from '@cordon/kernel';
import type { VendorsContext } from './context.ts';
import { createContractCommands } from './contract/contract-commands.ts';
import { createPortal } from './portal/portal.ts';
import { createQuestionnaireCommands } from './questionnaire/questionnaire-commands.ts';
import { createVendorCommands } from './register/vendor-commands.ts';

export const vendorsMigrations: Migrations = { name: 'vendors', folder: new URL('../migrations/', import.meta.url) };

export type Vendors = ReturnType<typeof createVendors>;

/** The vendors' commands and the portal, over one context. */
export function createVendors(context: VendorsContext) {
  return {
    register: createVendorCommands(context),
    questionnaires: createQuestionnaireCommands(context),
    contracts: createContractCommands(context),
    portal: createPortal(context),
    forms: context.forms,
  };
}
