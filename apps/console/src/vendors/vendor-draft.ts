/** What people type about vendors, as the API takes it. */

export interface ContactDraft {
  readonly name: string;
  readonly email: string;
  readonly role: string;
}

export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export function showContacts(contacts: readonly ContactDraft[]): string {
  return contacts.map(({ name, email, role }) => [name, email, ...(role === '' ? [] : [role])].join(', ')).join('\n');
}

/** One contact a line: name, address, role. The server judges whether the address is one. */
export function parseContacts(text: string): ContactDraft[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', email = '', ...role] = line.split(',').map((part) => part.trim());
      return { name, email, role: role.join(', ') };
    });
}

const TIERS = ['critical', 'high', 'medium', 'low', 'unrated'] as const;
const COLUMNS = ['name', 'tier', 'owner', 'website', 'regions', 'products'] as const;

export interface VendorRow {
  readonly name: string;
  readonly tier: (typeof TIERS)[number];
  readonly owner: string;
  readonly website: string | null;
  readonly regions: string[];
  readonly products: string[];
}

/** Cells of a line of CSV (RFC 4180): quotes hold separators, two quotes are one. */
function cellsOf(line: string, separator: string): string[] {
  const cells = [''];
  let isQuoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? '';
    if (isQuoted && char === '"' && line[at + 1] === '"') {
      cells.push(`${cells.pop() ?? ''}"`);
      at += 1;
    } else if (char === '"') isQuoted = !isQuoted;
    else if (char === separator && !isQuoted) cells.push('');
    else cells.push(`${cells.pop() ?? ''}${char}`);
  }
  return cells.map((cell) => cell.trim());
}

/** Vendors of a CSV with a heading: `name` is needed; `tier`, `owner`, `website`, `regions`, `products` may stand beside. */
export function parseVendorList(text: string): { readonly rows: VendorRow[]; readonly problems: string[] } {
  const [head = '', ...lines] = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  const separator = [';', '\t'].find((one) => head.includes(one)) ?? ',';
  const heading = cellsOf(head, separator).map((cell) => cell.toLowerCase());
  const places = Object.fromEntries(COLUMNS.map((name) => [name, heading.indexOf(name)]));
  if ((places['name'] ?? -1) < 0)
    return { rows: [], problems: ['The first line must name the columns, one of them "name".'] };
  const problems: string[] = [];
  const rows = lines.flatMap((line, index): VendorRow[] => {
    const cells = cellsOf(line, separator);
    const cell = (name: (typeof COLUMNS)[number]): string => cells[places[name] ?? -1] ?? '';
    const several = (name: 'regions' | 'products'): string[] =>
      cell(name)
        .split(/[;|]/)
        .map((one) => one.trim())
        .filter(Boolean);
    const tier = TIERS.find((one) => one === cell('tier').toLowerCase());
    if (cell('name') === '') problems.push(`Line ${index + 2} has no name.`);
    else if (cell('tier') !== '' && !tier) problems.push(`Line ${index + 2}: ${cell('tier')} is no tier.`);
    else {
      const website = cell('website') === '' ? null : cell('website');
      const rest = { owner: cell('owner'), website, regions: several('regions'), products: several('products') };
      return [{ name: cell('name'), tier: tier ?? 'unrated', ...rest }];
    }
    return [];
  });
  return { rows, problems };
}
