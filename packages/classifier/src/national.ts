/** US social security number: no area 000, 666 or 9xx, no zero group or serial, none of the famous specimens. */
function isUsSsn(value: string): boolean {
  const digits = value.replaceAll(/\D/g, '');
  if (digits.length !== 9) return false;
  const area = digits.slice(0, 3);
  if (area === '000' || area === '666' || area >= '900') return false;
  if (digits.slice(3, 5) === '00' || digits.slice(5) === '0000') return false;
  if (new Set(digits).size === 1) return false;
  return !SPECIMEN_SSNS.has(digits);
}

/** Printed on wallets, forms and advertisements, and never anyone's (Social Security Administration). */
const SPECIMEN_SSNS = new Set(['078051120', '219099999', '123456789', '987654321', '457555462']);

/** Validators by name for the `validator` field of detector files. */
export const nationalValidators: Readonly<Record<string, (value: string) => boolean>> = {
  us_ssn: isUsSsn,
};
