import { afterEach, vi } from "vitest";

// Unit tests share their processes: what a test replaces must not reach the next one.
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
});
