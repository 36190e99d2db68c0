/** Who stands behind the vendors, and how many of them rest on the same company. */
export interface FourthParty {
  readonly key: string;
  readonly name: string;
  readonly countries: readonly string[];
  readonly vendors: readonly {
    readonly id: string;
    readonly name: string;
    readonly tier: string;
    readonly purpose: string | null;
  }[];
  /** Share of all vendors with a known list that depend on it, 0 to 1. */
  readonly concentration: number;
}

export interface Dependence {
  readonly vendorId: string;
  readonly vendorName: string;
  readonly tier: string;
  readonly key: string;
  readonly name: string;
  readonly country: string | null;
  readonly purpose: string | null;
}

/** The graph's far side, most depended upon first. */
export function concentrate(dependences: readonly Dependence[]): FourthParty[] {
  const vendors = new Set(dependences.map(({ vendorId }) => vendorId)).size;
  const byKey = Map.groupBy(dependences, ({ key }) => key);
  return [...byKey]
    .map(([key, of]) => ({
      key,
      name: of[0]?.name ?? key,
      countries: [...new Set(of.flatMap(({ country }) => (country === null ? [] : [country])))].sort(),
      vendors: of.map(({ vendorId, vendorName, tier, purpose }) => ({ id: vendorId, name: vendorName, tier, purpose })),
      concentration: of.length / vendors,
    }))
    .sort((a, b) => b.vendors.length - a.vendors.length || a.name.localeCompare(b.name));
}
