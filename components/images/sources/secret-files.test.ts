import { expect, test } from "vitest";
import { useScratch } from "../../../test/support/scratch.ts";
import { searchFiles, secretName } from "./secret-files.ts";

const scratch = useScratch();

const SECRET = `
.env .env.local prod.env .envrc .npmrc .yarnrc.yml .pypirc .netrc _netrc .git-credentials auth.json
client_secret_1.json client_secrets.json kubeconfig prod.kubeconfig kubeconfig.yaml
gha-creds-1a2b.json application_default_credentials.json my-project-firebase-adminsdk-x1-2.json
deploy-service-account.json credentials keys/server.PEM id_ed25519 prod.tfvars
terraform.tfstate.backup secrets.yaml store.jks`;

test.each(SECRET.trim().split(/\s+/))("%s has the name of a secret", (file) => {
  expect(secretName(`ui/${file}`)).toBeDefined();
});

const PLAIN = `
.env.example .env.local.example secrets.sample.yaml terraform.tfvars.dist environment.ts main.go
package.json secret-files.ts node_modules/tls/key.pem vendor/x/key.pem`;

test.each(PLAIN.trim().split(/\s+/))("%s does not have the name of a secret", (file) => {
  expect(secretName(file)).toBeUndefined();
});

// Not a literal, so that no file of this project looks like a secret.
const TOKEN = `ghp_${"a1B2".repeat(9)}`;

test("reports a secret in a file by its rule, and does not read example files", async () => {
  scratch.write("notes.txt", `login with ${TOKEN}\n`);
  scratch.write("plain.txt", "login with the token\n");
  scratch.write("config.example.txt", TOKEN);
  scratch.write("program", `\0${TOKEN}`);
  const files = ["notes.txt", "plain.txt", "config.example.txt", "program", "gone"];
  expect(await searchFiles(scratch.folder, files)).toEqual({
    secrets: [{ file: "notes.txt", rule: "secretlint: github" }],
    unread: ["gone"],
  });
});

test("reads the beginning of large files, up to a limit for all files, and reports the rest", async () => {
  scratch.write("a.txt", `${"-".repeat(100)}\n${TOKEN}\n`);
  scratch.write("b.txt", `${TOKEN}\n`);
  const search = (file: number, all: number) =>
    searchFiles(scratch.folder, ["a.txt", "b.txt"], { file, all });
  const b = { file: "b.txt", rule: "secretlint: github" };
  expect(await search(200, 1000)).toEqual({ secrets: [{ ...b, file: "a.txt" }, b], unread: [] });
  expect(await search(100, 1000)).toEqual({ secrets: [b], unread: ["a.txt"] });
  expect(await search(200, 100)).toEqual({ secrets: [], unread: ["a.txt", "b.txt"] });
});
