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
  return text.length >= 8 && digits >= 2;
}
