// Replaces actions/checkout: checks out a commit without history and without credentials.
import { join } from "node:path";
import { execa } from "execa";
import { input, variable } from "./runner.ts";

if (input("persist-credentials") !== "false") throw new Error("persist-credentials is to be false");

const repository = input("repository");
const own = repository === variable("GITHUB_REPOSITORY");
const folder = join(variable("GITHUB_WORKSPACE"), input("path"));
const remote = `${variable("GITHUB_SERVER_URL")}/${repository}`;

const git = (...args: string[]): Promise<{ stdout: string }> => execa("git", args, { cwd: folder });

/** The ref and the commit to check out: the event's, or the input's, else the default branch. */
async function wanted(): Promise<[ref: string, commit: string]> {
  if (own && input("ref") === "") return [variable("GITHUB_REF"), variable("GITHUB_SHA")];
  const name = input("ref") === "" ? "HEAD" : input("ref");
  const { stdout } = await git(
    "ls-remote",
    "--symref",
    remote,
    name,
    `refs/heads/${name}`,
    `refs/tags/${name}`,
  );
  const ref = /^ref: (\S+)\tHEAD$/m.exec(stdout)?.[1] ?? /\t(refs\/(?:heads|tags)\/\S+)$/m.exec(stdout)?.[1];
  if (ref === undefined) return ["", name];
  return [ref, ref];
}

await execa("git", ["init", "--quiet", "--initial-branch", "none", folder]);
const [ref, commit] = await wanted();
await git("fetch", "--quiet", "--depth", "1", remote, commit);
const branch = /^refs\/heads\/(.*)$/.exec(ref)?.[1];
await git(
  "checkout",
  "--quiet",
  "--force",
  ...(branch === undefined ? ["--detach"] : ["-B", branch]),
  "FETCH_HEAD",
);
