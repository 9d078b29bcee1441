import { childrenOf } from "../../sandbox/lib/processes.ts";

/** A process and its descendants. */
export function withDescendants(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(withDescendants)];
}
