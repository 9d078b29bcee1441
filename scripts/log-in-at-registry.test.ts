import { beforeEach, expect, it } from "vitest";
import { useShell } from "../test/support/shell.ts";

const script = "scripts/log-in-at-registry.sh";

const shell = useShell();

beforeEach(() => {
  shell.fake("docker", 'record "$@"; cat >"$HOME/stdin"');
});

it("logs in at production's registry, with the token on stdin and nowhere else", () => {
  shell.environment["ACCESS_TOKEN"] = "ya29.secret";
  const { status, stdout, stderr } = shell.run(script);
  expect(status).toBe(0);
  expect(shell.calls()).toEqual([
    "docker login --username oauth2accesstoken --password-stdin https://us-central1-docker.pkg.dev",
  ]);
  expect(shell.read("stdin")).toBe("ya29.secret\n");
  expect(stdout + stderr).not.toContain("secret");
});

it("says what it lacks", () => {
  const { status, stderr } = shell.run(script);
  expect([status, stderr]).toEqual([
    2,
    "ACCESS_TOKEN must be a Google access token, such as gcloud auth print-access-token prints\n",
  ]);
});
