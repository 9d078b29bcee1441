// Replaces anchore/sbom-action/download-syft: installs a syft that writes only the name of the scanned image.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setOutput, variable } from "./runner.ts";

const syft = join(variable("RUNNER_TEMP"), "syft");
const script = `#!/bin/sh
[ "$1" = scan ] && [ "$3" = --output ] || exit 1
printf '{"spdxVersion": "SPDX-2.3", "name": "%s"}' "\${2#registry:}" >"\${4#spdx-json=}"
`;
writeFileSync(syft, script, { mode: 0o755 });
setOutput("cmd", syft);
