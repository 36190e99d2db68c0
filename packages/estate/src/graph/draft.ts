import type { EdgeKind, GraphEdge, GraphNode } from './node.ts';

/** Nodes and edges as they are found, with the names under which the same thing turns up in several places. */
export class Draft {
  readonly nodes = new Map<string, GraphNode>();
  readonly edges: GraphEdge[] = [];
  readonly #linked = new Set<string>();
  readonly #apps = new Map<string, string>();
  readonly #vendors = new Map<string, string>();
  readonly #people = new Map<string, string>();

  /** Adds a node unless it is there. */
  add(node: GraphNode): string {
    if (!this.nodes.has(node.id)) this.nodes.set(node.id, node);
    return node.id;
  }

  link(from: string, to: string, kind: EdgeKind, measures: Pick<GraphEdge, 'calls' | 'values' | 'lastAt'> = {}): void {
    this.edges.push({ from, to, kind, ...measures });
  }

  linkOnce(from: string, to: string, kind: EdgeKind): void {
    const key = `${from}\0${to}\0${kind}`;
    if (this.#linked.has(key)) return;
    this.#linked.add(key);
    this.link(from, to, kind);
  }

  nameApp(name: string, id: string): void {
    if (!this.#apps.has(name.toLowerCase())) this.#apps.set(name.toLowerCase(), id);
  }

  appNamed(...names: readonly string[]): string | undefined {
    for (const name of names) {
      const found = this.#apps.get(name.toLowerCase());
      if (found !== undefined) return found;
    }
    return undefined;
  }

  nameVendor(name: string, id: string): void {
    this.#vendors.set(name.toLowerCase(), id);
  }

  /** The vendor of that name; one that is only known as a publisher is added. */
  vendorNamed(name: string): string {
    const known = this.#vendors.get(name.toLowerCase());
    if (known !== undefined) return known;
    const id = this.add({
      id: `publisher:${name.toLowerCase()}`,
      kind: 'vendor',
      name,
      reference: { type: 'none', id: '' },
    });
    this.nameVendor(name, id);
    return id;
  }

  /** Joins an account of Cordon with the address by which tools know the same person. */
  knowPerson(id: string, email: string, name: string): void {
    this.#people.set(id, this.personByEmail(email, name));
  }

  personByEmail(email: string, name: string): string {
    const address = email.toLowerCase();
    return this.add({ id: `person:${address}`, kind: 'person', name, reference: { type: 'none', id: address } });
  }

  /** An owner, who may be somebody without an account. */
  person(id: string, name: string): string {
    return (
      this.#people.get(id) ??
      this.add({ id: `person:${id.toLowerCase()}`, kind: 'person', name, reference: { type: 'none', id } })
    );
  }
}
