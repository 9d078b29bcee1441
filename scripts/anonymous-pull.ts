// Says what a pull without a login gets, and fails unless that is as wanted:
// node scripts/anonymous-pull.ts REGISTRY open|closed SECONDS
// First: what is imported below loads half as much then.
import "../start/start.cjs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { catalogue } from "../components/images/catalogue.ts";
import { ImageRegistry } from "../components/images/registry/image-registry.ts";
import { messageOf } from "../problems/wording.ts";

/** What a pull without a login gets. */
type Answer = "open" | "closed";

/**
 * What every image of a registry answers to a pull without a login, asked until it is as wanted, for some seconds at most:
 * a changed policy takes minutes to spread. An image that does not exist is no refusal. A registry is open if one image is.
 *
 * @param registry host and path, without a scheme.
 * @throws if the registry answers neither yes nor no.
 */
export async function anonymousPull(
  registry: string,
  wanted: Answer,
  seconds: number,
  every = 5,
): Promise<Answer> {
  for (let left = seconds; ; left -= every) {
    const answers = await Promise.all(catalogue.images.map(({ name }) => isOpen(registry, name)));
    const answer = answers.includes(true) ? "open" : "closed";
    if (answer === wanted || left <= 0) return answer;
    await sleep(every * 1000);
  }
}

async function isOpen(registry: string, image: string): Promise<boolean> {
  const nobody = new ImageRegistry(registry, () => Promise.resolve(undefined));
  const { ok, status } = await nobody.request(image, "tags/list");
  if (ok || status === 404) return true;
  if (status === 401 || status === 403) return false;
  throw new Error(`${registry}/${image} answered ${status} to a pull without a login.`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [, , registry = "", wanted = "", seconds = "0"] = process.argv;
  try {
    const answer = await anonymousPull(registry, wanted === "open" ? "open" : "closed", Number(seconds));
    console.log(`A pull without a login ${answer === "open" ? "succeeds" : "is refused"}: ${registry}`);
    process.exitCode = answer === wanted ? 0 : 1;
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
