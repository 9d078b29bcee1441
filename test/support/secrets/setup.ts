import { afterEach } from "vitest";
import { checkSandboxes, watchSandboxes } from "./watching.ts";

// After every test that uses a sandbox: no secret in the clear.
watchSandboxes();
afterEach(checkSandboxes);
