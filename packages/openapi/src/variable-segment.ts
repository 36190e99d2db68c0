/** Random text changes its case about every fourth letter, words put together about every sixth. */
const CASE_CHANGE_CHARS = 5;
const RANDOM_CHARS_MIN = 16;

/**
 * Whether a path segment or a member's name looks like a value rather than a word of the API: numbers, UUIDs, hashes,
 * tokens, addresses. Such text is never kept: it would make every record an operation of its own, and may be personal.
 */
export function looksVariable(text: string): boolean {
  if (/^v\d+(?:\.\d+)*$/i.test(text)) return false; // v1, v2.1
  if (/^\d{4}-\d{2}(?:-\d{2})?$/.test(text)) return false; // Twilio's 2010-04-01, Shopify's 2024-10
  if (/^\d+$/.test(text) || /[@%\s]/.test(text)) return true;
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)) return true;
  const digits = text.replaceAll(/\D/g, '').length;
  if (text.length >= 8 && digits >= 2) return true;
  const changes = text.match(/[a-z][A-Z]/g)?.length ?? 0;
  return text.length >= RANDOM_CHARS_MIN && changes * CASE_CHANGE_CHARS >= text.length;
}
