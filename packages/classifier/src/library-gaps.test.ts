import { expect, test } from 'vitest';
import { libraryGapValidators } from './library-gaps.ts';

test.each([
  ['ar_cbu', '2850590940090418135201', true],
  ['ar_cbu', '2850590940090418135202', false],
  ['ar_cbu', '285059094009041813520', false],
  ['tw_ubn', '04595257', true],
  ['tw_ubn', '04595253', false],
  ['es_nif', '1111111-G', true],
  ['es_nif', '1111111-H', false],
  ['es_nif', '54362315K', true],
  ['uy_nie', '91.234.567-0', true],
  ['uy_nie', '91.234.567-3', false],
])('%s of %s: %s', (name, value, valid) => {
  expect(libraryGapValidators[name]?.(value)).toBe(valid);
});
