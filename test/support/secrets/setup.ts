import { afterEach } from "vitest";
import { checkSandboxes, watchSandboxes } from "./watching.ts";

// Scans sandboxes for exposed secrets after each test.
watchSandboxes();
afterEach(checkSandboxes);
