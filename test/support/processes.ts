import { childrenOf } from "../../sandbox/lib/processes.ts";

/** A process, its children, and theirs. */
export function withDescendants(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(withDescendants)];
}
