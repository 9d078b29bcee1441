/**
 * Whether a build failed by a race of Docker 29 with containerd's store: of builds side by side that share layers, one
 * may lose a layer to the engine's garbage collection (moby/buildkit#6521). The same build works when it is repeated.
 */
export function isEngineRace(output: string): boolean {
  return /failed to prepare extraction snapshot .*parent snapshot \S+ does not exist: not found/.test(output);
}
