import { describe, expect, test } from "vitest";
import { useScratch } from "../../../test/support/scratch.ts";
import { dockerLogin, registryHost } from "./login.ts";

const HOST = "us-central1-docker.pkg.dev";
const stored = { auth: Buffer.from("dana:pass:word").toString("base64") };

const scratch = useScratch();

function login(config: object, host = HOST) {
  scratch.write("config.json", JSON.stringify(config));
  return dockerLogin(host, { DOCKER_CONFIG: scratch.folder, PATH: scratch.path("bin") });
}

/** A helper that records its requests. */
function installHelper(name: string, body: string): void {
  const script = `#!/bin/sh\nread host\necho "$1 $host" >>${scratch.folder}/asked\n${body}\n`;
  scratch.write(`bin/docker-credential-${name}`, script, 0o755);
}

describe("a login in the file", () => {
  test.each([HOST, `http://${HOST}`, `${HOST}/v1/`, `https://${HOST}/v2/token`])(
    "under the key %s",
    (key) => {
      expect(login({ auths: { "ghcr.io": stored, [key]: stored } })).toEqual({
        kind: "stored",
        credentials: { username: "dana", password: "pass:word" },
      });
    },
  );

  test("for a registry with a port is not for the same host without a port", () => {
    expect(registryHost("https://localhost:5001/v2/")).toBe("localhost:5001");
    expect(login({ auths: { "https://localhost:5001": stored } }, "localhost:5001").kind).toBe("stored");
    expect(login({ auths: { "https://localhost": stored } }, "localhost:5001").kind).toBe("none");
  });

  test.each([
    ["a token", { identitytoken: "t" }, "stored"],
    ["a name and a password", { username: "dana", password: "x" }, "stored"],
    ["an empty entry, as docker login leaves it with a store", {}, "none"],
    ["an entry of empty strings", { auth: "", identitytoken: "" }, "none"],
    ["an entry without a password", { auth: Buffer.from("dana").toString("base64") }, "none"],
  ])("%s", (_, entry, kind) => {
    expect(login({ auths: { [HOST]: entry } }).kind).toBe(kind);
  });

  test.each([{}, { auths: null }, { auths: { "ghcr.io": stored } }])("is none in %j", (config) => {
    expect(login(config)).toEqual({ kind: "none" });
  });
});

describe("a credential helper", () => {
  const ask = async (config: object) => {
    const found = login(config);
    return found.kind === "helper" ? found.ask() : found.kind;
  };
  const answer = `echo '{"ServerURL":"${HOST}","Username":"u","Secret":"s"}'`;

  test("for the host has priority over the store, and the store over the file", async () => {
    installHelper("own", answer);
    installHelper("all", "exit 1");
    const config = { credHelpers: { [HOST]: "own" }, credsStore: "all", auths: { [HOST]: stored } };
    expect(await ask(config)).toEqual({ kind: "login", credentials: { username: "u", password: "s" } });
    expect(scratch.read("asked")).toBe(`get ${HOST}\n`);
    expect(await ask({ ...config, credHelpers: { [`https://${HOST}`]: "own" } })).toEqual({
      kind: "failure",
      code: 1,
      said: "",
    });
  });

  test("with an empty name for the host leaves the login to the file", () => {
    expect(login({ credHelpers: { [HOST]: "" }, credsStore: "all", auths: { [HOST]: stored } }).kind).toBe(
      "stored",
    );
  });

  test.each([
    ["has no login", "echo 'credentials not found in native keychain'; exit 1", "no login"],
    ["returns an empty login", `echo '{"Username":"","Secret":""}'`, "no login"],
    ["fails", "echo 'error: not logged in'; exit 1", "failure"],
    ["prints nothing", "exit 0", "failure"],
  ])("that %s, whatever the file has", async (_, body, kind) => {
    installHelper("desktop", body);
    expect(await ask({ credsStore: "desktop", auths: { [HOST]: stored } })).toMatchObject({ kind });
  });

  test("that is not installed", () => {
    expect(login({ credsStore: "desktop" })).toEqual({
      kind: "missing helper",
      helper: "docker-credential-desktop",
    });
  });
});

describe("a configuration that Docker does not read", () => {
  const read = (text: string) => () => {
    scratch.write("config.json", text);
    return dockerLogin(HOST, { DOCKER_CONFIG: scratch.folder });
  };

  test("is reported with its file, without its content", () => {
    expect(read('{ "auths": secret')).toThrow(`${scratch.folder}/config.json is not JSON`);
    expect(read('{ "auths": secret')).not.toThrow("secret");
    expect(read('{"credHelpers":{"a":["secret"]}}')).toThrow(
      `${scratch.folder}/config.json is not as Docker writes it (credHelpers.a)`,
    );
  });
});
