// Replaces actions/attest-build-provenance and actions/attest-sbom: records the attestations.
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { input, requirePermission, standIn, variable } from "./runner.ts";

const { folder, attests } = standIn();
for (const permission of ["id_token", "attestations"]) requirePermission(permission);
if (!attests) throw new Error("Failed to persist attestation: Feature not available for the repository");
if (input("push-to-registry") === "true") throw new Error("nothing is pushed to the registry");

const read = (name: string): string => readFileSync(join(variable("GITHUB_WORKSPACE"), input(name)), "utf8");
const isSbom = input("sbom-path") !== "";
// Fails if the SBOM describes another image.
if (isSbom)
  z.object({
    spdxVersion: z.string(),
    name: z.literal(`${input("subject-name")}@${input("subject-digest")}`),
  }).parse(JSON.parse(read("sbom-path")));
const subjects =
  input("subject-checksums") === ""
    ? [[input("subject-name"), input("subject-digest")]]
    : read("subject-checksums")
        .split("\n")
        .filter(Boolean)
        .map((line) => [line.slice(66), `sha256:${line.slice(0, 64)}`]);
for (const [name = "", digest = ""] of subjects) {
  if (name === "" || !/^sha256:[0-9a-f]{64}$/.test(digest)) throw new Error(`no subject: ${name} ${digest}`);
  const attestation = { kind: isSbom ? "sbom" : "provenance", name, digest };
  appendFileSync(join(folder, "attestations"), `${JSON.stringify(attestation)}\n`);
}
