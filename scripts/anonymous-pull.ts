// Reports whether a pull needs a login, and fails on the other answer than the expected one:
// node scripts/anonymous-pull.ts REGISTRY open|closed SECONDS
// First: it halves the load time of the imports below.
import "../start/start.cjs";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { catalogue } from "../components/images/catalogue.ts";
import { ImageRegistry } from "../components/images/registry/image-registry.ts";
import { messageOf } from "../problems/wording.ts";

/** The answer to a pull without a login. */
type Answer = "open" | "closed";

/**
 * Asks every image of a registry without a login until the answer is the wanted one, for a limited time: a changed policy takes
 * minutes to spread. A missing image counts as open. A registry is open if one of its images is.
 *
 * @param registry host and path, without a scheme.
 * @throws if the registry answers with another status.
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
  const anonymous = new ImageRegistry(registry, () => Promise.resolve(undefined));
  const { ok, status } = await anonymous.request(image, "tags/list");
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
