import { beforeEach, expect, it, test, vi } from "vitest";
import { useShell } from "../../test/support/shell.ts";
import { findProvenance } from "./version-facts.ts";

const shell = useShell();
const wait = vi.fn(() => Promise.resolve());

const FOUND = "exit 0";
const fails = (words: string): string => `echo '${words}' >&2; exit 1`;
const MISSING = fails(
  "Error: HTTP 404: Not Found (https://api.github.com/repos/o/n/attestations/sha256:a?per_page=30&predicate_type=https://slsa.dev/provenance/v1)",
);

/** The provenance of an image with this answer of `gh`. */
function find(gh: string | undefined, patience = 0): ReturnType<typeof findProvenance> {
  if (gh !== undefined) shell.fake("gh", `record "$@"\n${gh}`);
  return findProvenance("https://github.com/o/n", "host/p/r/ui@sha256:a", patience, wait);
}

beforeEach(() => {
  wait.mockClear();
  vi.spyOn(console, "error").mockReturnValue();
  for (const name of ["PATH", "RECORD"]) vi.stubEnv(name, shell.environment[name]);
});

test.each([
  ["finds one", FOUND, "attested"],
  ["finds none", MISSING, "none"],
  ["finds none, with an empty list", fails("Error: no attestations found"), "none"],
  [
    "cannot reach GitHub",
    fails("Error: HTTP 502: Bad Gateway (https://api.github.com/repos/o/n/attestations/a)"),
    undefined,
  ],
  ["cannot read the image", fails("Error: failed to fetch remote image: HTTP 404"), undefined],
  ["does not trust it", fails('Error: verifying with issuer "sigstore.dev"'), undefined],
  ["is not installed", undefined, undefined],
])("the provenance if gh %s", async (_, gh, provenance) => {
  expect(await find(gh)).toBe(provenance);
  expect(wait).not.toHaveBeenCalled();
});

it("looks again while the run that built the image has not attested it", async () => {
  const late = `[ $(wc -l <"$RECORD") -gt 2 ] || { ${MISSING}; }`;
  expect(await find(late, 300)).toBe("attested");
  expect(wait.mock.calls).toEqual([[20_000], [20_000]]);
});

it("stops looking when the time is up", async () => {
  expect(await find(MISSING, 40)).toBe("none");
  expect(shell.calls()).toHaveLength(3);
});
