/** A form that is only believed when it is the whole of a value that has no name. */
interface WholeForm {
  /** Scanner in code whose detector reports it. */
  readonly scanner: string;
  readonly form: RegExp;
  readonly confidence: number;
  readonly reason: string;
}

/**
 * Forms too like other things to be looked for in text. Hardware addresses: EUI-48 and EUI-64 (IEEE 802) with spaces,
 * with broadcast among them, or without separators where a letter tells them from a number. Mail addresses: quoted
 * local parts (RFC 5321 section 4.1.2) and address literals (section 4.1.3).
 */
const WHOLE_FORMS: readonly WholeForm[] = [
  {
    scanner: 'mac',
    form: /^(?=.*[1-9a-f])[\da-f]{2}([ :-])(?:[\da-f]{2}\1){4}(?:[\da-f]{2}\1[\da-f]{2}\1)?[\da-f]{2}$/i,
    confidence: 0.5,
    reason: 'form:eui',
  },
  {
    scanner: 'mac',
    form: /^(?=.*[1-9a-f])[\da-f]{4}(?:\.[\da-f]{4}){2,3}$/i,
    confidence: 0.5,
    reason: 'form:eui',
  },
  { scanner: 'mac', form: /^(?=.*[a-f])(?:[\da-f]{12}|[\da-f]{16})$/i, confidence: 0.3, reason: 'form:eui' },
  {
    scanner: 'email',
    form: /^"(?:[^"\\\r\n]|\\[ -~]){1,62}"@[\p{L}\d][\p{L}\d.-]{0,250}\.\p{L}{2,63}$/u,
    confidence: 0.6,
    reason: 'form:quoted-local-part',
  },
  {
    scanner: 'email',
    form: /^[\w.+-]{1,64}@\[?(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!\]?$)|(?=\]?$))){4}\]?$/,
    confidence: 0.5,
    reason: 'form:address-literal',
  },
  {
    // Degrees, minutes and seconds of a pair (ISO 6709 annex D).
    scanner: 'coordinates',
    form: /^(?:90|[0-8]?\d)° ?[0-5]?\d′ ?[0-5]?\d(?:\.\d+)?″ ?[NS],? ?(?:180|1[0-7]\d|\d{1,2})° ?[0-5]?\d′ ?[0-5]?\d(?:\.\d+)?″ ?[EW]$/i,
    confidence: 0.7,
    reason: 'form:degrees',
  },
  {
    // Whole degrees say little; a sign or brackets make a pair of them more than two numbers.
    scanner: 'coordinates',
    form: /^(?=[(+-]|.*[+-])\(?[+-]?(?:90|[0-8]?\d), ?[+-]?(?:180|1[0-7]\d|\d{1,2})\)?$/,
    confidence: 0.3,
    reason: 'form:lat-lng',
  },
];

/** What a value on its own looks like from end to end, by forms that text is not searched for. */
export function wholeFormsOf(value: string): readonly WholeForm[] {
  return WHOLE_FORMS.filter(({ form }) => form.test(value));
}
