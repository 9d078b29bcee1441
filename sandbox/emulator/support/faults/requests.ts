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

  clear(): void {
    this.counts.clear();
  }
}
