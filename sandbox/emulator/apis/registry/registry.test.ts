import { createPublicKey, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { jwtVerify } from "jose";
import { beforeAll, expect, test } from "vitest";
import { mintAccessToken } from "../../../lib/tokens.ts";
import { bind, createRepository, testEmulator } from "../../testing/emulator.ts";

const emulator = await testEmulator("artifactregistry");
const IMAGE = "production-471918/hyperion-public/hyperion-ui";
const DANA = "user:dana@example.com";
const RESOURCE = "projects/production-471918/locations/us-central1/repositories/hyperion-public";

beforeAll(() => createRepository(emulator));

const mint = (principal: string, seconds?: number) => mintAccessToken(emulator.dir, principal, seconds);

/** Asks for a token with these scopes and, as the login, an access token. */
function askWith(scopes: string[], accessToken?: string, user = "oauth2accesstoken"): Promise<Response> {
  const query = new URLSearchParams({ service: "localhost:5001" });
  for (const scope of scopes) query.append("scope", scope);
  const basic = Buffer.from(`${user}:${accessToken ?? ""}`).toString("base64");
  const headers = accessToken === undefined ? {} : { authorization: `Basic ${basic}` };
  return emulator.send(`token?${query.toString()}`, { headers });
}

const ask = async (actions: string, principal?: string, image = IMAGE): Promise<Response> =>
  askWith([`repository:${image}:${actions}`], principal === undefined ? undefined : await mint(principal));

async function granted(response: Response): Promise<unknown> {
  expect(response.status).toBe(200);
  const { token } = (await response.json()) as { token: string };
  const certificate = readFileSync(emulator.context.files.certificate);
  const { payload, protectedHeader } = await jwtVerify(token, createPublicKey(certificate), {
    issuer: "hyperion-sandbox",
    audience: "localhost:5001",
  });
  expect(protectedHeader).toEqual({
    alg: "RS256",
    typ: "JWT",
    x5c: [new X509Certificate(certificate).raw.toString("base64")],
  });
  return payload["access"];
}

function denied(permission: string, resource = RESOURCE): object {
  const message = `Permission "artifactregistry.repositories.${permission}" denied on resource "${resource}" (or it may not exist)`;
  return { errors: [{ code: "DENIED", message }] };
}

test.each([
  ["reader", "pull", undefined],
  ["reader", "pull,push", "uploadArtifacts"],
  ["writer", "pull,push", undefined],
  ["writer", "delete", "deleteArtifacts"],
  ["repoAdmin", "pull,push,delete", undefined],
  ["repoAdmin", "*", undefined],
])("a %s requests %s", async (role, actions, missing) => {
  await bind(emulator, `roles/artifactregistry.${role}`, DANA);
  const response = await ask(actions, DANA);
  if (missing === undefined) {
    const expected = actions === "*" ? ["pull", "push", "delete"] : actions.split(",");
    expect(await granted(response)).toEqual([{ type: "repository", name: IMAGE, actions: expected }]);
  } else {
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual(denied(missing));
  }
});

test.each([
  ["allUsers", undefined, true],
  ["allAuthenticatedUsers", undefined, false],
  ["allAuthenticatedUsers", "user:any@elsewhere.example", true],
  ["allAuthenticatedUsers", "serviceAccount:a@b.iam.gserviceaccount.com", true],
  [DANA, DANA, true],
  [DANA, "user:lee@example.com", false],
  ["group:developers@example.com", DANA, true],
  ["group:developers@example.com", "user:pat@example.com", false],
  ["group:all@example.com", DANA, true],
  ["domain:example.com", "user:pat@example.com", true],
  ["domain:example.com", "user:pat@notexample.com", false],
  ["domain:example.com", "serviceAccount:a@example.com", false],
])("a reader %s for %s: %s", async (member, principal, expected) => {
  const groups = {
    "developers@example.com": [DANA],
    "all@example.com": ["group:developers@example.com", "group:all@example.com"],
  };
  writeFileSync(emulator.context.files.members, JSON.stringify({ groups }));
  await bind(emulator, "roles/artifactregistry.reader", member);
  const response = await ask("pull", principal);
  expect(response.status).toBe(expected ? 200 : 403);
});

test("anonymous pulls fail as soon as allUsers is removed", async () => {
  await bind(emulator, "roles/artifactregistry.reader", "allUsers");
  expect((await ask("pull")).status).toBe(200);
  expect((await ask("pull,push")).status).toBe(403);
  await bind(emulator, "roles/artifactregistry.reader");
  const response = await ask("pull");
  expect(response.status).toBe(403);
  expect(await response.json()).toEqual(denied("downloadArtifacts"));
});

test("an unknown repository gets the same answer as a repository of others", async () => {
  const response = await ask("pull", "user:maintainer@example.com", "production-471918/other/x");
  expect(response.status).toBe(403);
  const resource = RESOURCE.replace("hyperion-public", "other");
  expect(await response.json()).toEqual(denied("downloadArtifacts", resource));
});

test("a push gets no permission on another repository that its caller cannot read, in any order", async () => {
  await bind(emulator, "roles/artifactregistry.writer", DANA);
  // containerd sorts the scopes, so that the other one can be the first.
  const scopes = [`repository:${IMAGE}:pull,push`, "repository:production-471918/other/x:pull"];
  for (const order of [scopes, scopes.toReversed()])
    expect(await granted(await askWith(order, await mint(DANA)))).toEqual([
      { type: "repository", name: IMAGE, actions: ["pull", "push"] },
    ]);
});

test("clients have no permission to list the registry's catalog", async () => {
  const token = await mint("user:maintainer@example.com");
  expect(await granted(await askWith(["registry:catalog:*"], token, "_token"))).toEqual([]);
});

test("a login without a scope checks the credential", async () => {
  expect((await askWith([], await mint(DANA))).status).toBe(200);
  const expired = await askWith([], await mint(DANA, -1));
  expect(expired.status).toBe(401);
  const message = expect.stringContaining("the access token has expired") as string;
  expect(await expired.json()).toMatchObject({ errors: [{ code: "UNAUTHORIZED", message }] });
  expect((await askWith([], "nonsense")).status).toBe(401);
});

test("another user name than Artifact Registry's is refused", async () => {
  expect((await askWith([], await mint(DANA), "dana")).status).toBe(401);
  expect((await askWith([], await mint(DANA), "_dcgcloud_token")).status).toBe(200);
});

test("OAuth 2 clients request tokens by POST", async () => {
  const post = (form: Record<string, string>): Promise<Response> =>
    emulator.send("token", {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ service: "localhost:5001", scope: `repository:${IMAGE}:pull`, ...form }),
    });
  const token = await mint(DANA);
  const password = await post({ grant_type: "password", username: "oauth2accesstoken", password: token });
  expect(await granted(password)).toEqual([{ type: "repository", name: IMAGE, actions: ["pull"] }]);
  expect((await post({ grant_type: "refresh_token", refresh_token: token })).status).toBe(200);
  expect((await post({ grant_type: "refresh_token", refresh_token: "x" })).status).toBe(401);
});
