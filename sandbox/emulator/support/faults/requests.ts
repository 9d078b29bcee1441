/** How often a route was called, and its answers. */
export interface RequestCount {
  method: string;
  /** The route's template; the path if no route matched. */
  route: string;
  count: number;
  /** Answers by HTTP status. */
  statuses: Record<string, number>;
}

export class Requests {
  private readonly counts = new Map<string, RequestCount>();
  private readonly needed = new Map<string, Set<string>>();

  count(method: string, route: string, status: number): void {
    const key = `${method} ${route}`;
    const known = this.counts.get(key) ?? { method, route, count: 0, statuses: {} };
    known.count++;
    known.statuses[status] = (known.statuses[status] ?? 0) + 1;
    this.counts.set(key, known);
  }

  /** The most frequent first. */
  all(): RequestCount[] {
    return [...this.counts.values()].sort((a, b) => b.count - a.count);
  }

  /** Records a permission that a request of this principal needs, whether it holds it or not. */
  need(principal: string, permission: string): void {
    const known = this.needed.get(principal) ?? new Set();
    this.needed.set(principal, known.add(permission));
  }

  /** The permissions that the requests of a principal need, sorted. */
  permissionsOf(principal: string): string[] {
    return [...(this.needed.get(principal) ?? [])].sort();
  }

  clear(): void {
    this.needed.clear();
    this.counts.clear();
  }
}
