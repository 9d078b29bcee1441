/**
 * Whether a build failed by a race of Docker 29 with containerd's store: builds side by side share layers, and the
 * engine's garbage collection can remove one (moby/buildkit#6521). A retry succeeds.
 */
export function isEngineRace(output: string): boolean {
  return /failed to prepare extraction snapshot .*parent snapshot \S+ does not exist: not found/.test(output);
}
