const PAIR = /^(\(?)\s*([+-]?\d{1,2}(?:\.\d+)?)\s*,\s*([+-]?\d{1,3}(?:\.\d+)?)\s*(\)?)$/;

/** `52.520008, 13.404954`, also in parentheses: latitude to 90, longitude to 180, at least one of them with decimals. */
export function isCoordinatePair(text: string): boolean {
  const match = PAIR.exec(text.trim());
  if (!match) return false;
  const [, open, latitude = '', longitude = '', close] = match;
  if ((open === '') !== (close === '')) return false;
  if (!latitude.includes('.') && !longitude.includes('.')) return false;
  return Math.abs(Number(latitude)) <= 90 && Math.abs(Number(longitude)) <= 180;
}
