/** How often a route was asked, and what it answered. */
export interface RequestCount {
  method: string;
  /** The route's template; the path itself where no route matched. */
  route: string;
  count: number;
  /** Answers by HTTP status. */
  statuses: Record<string, number>;
}

/** Counts requests by route since the start, or since it was cleared. */
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
