// Finds out whether a registry refuses who comes without a login: node scripts/check-closed.ts ADDRESS SECONDS
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { catalogue } from "../components/images/catalogue.ts";

const tokenAnswer = z.object({ token: z.string().optional(), access_token: z.string().optional() });

/**
 * Whether somebody without a login may pull an image, asked as `docker pull` asks: for a token, then for the image. An
 * image that is not there is no refusal.
 * Source: https://distribution.github.io/distribution/spec/auth/token/
 *
 * @param repository host and path, without a scheme.
 */
export async function pullsAnonymously(repository: string): Promise<boolean> {
  const [host = "", ...path] = repository.split("/");
  const tags = `https://${host}/v2/${path.join("/")}/tags/list`;
  const asked = await fetch(tags);
  if (asked.status !== 401) return isOpen(asked);
  const challenge = asked.headers.get("www-authenticate") ?? "";
  const [realm, service = ""] = ["realm", "service"].map(
    (name) => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1],
  );
  if (realm === undefined) return false;
  const query = new URLSearchParams({ service, scope: `repository:${path.join("/")}:pull` });
  const answer = await fetch(`${realm}?${query.toString()}`);
  if (!answer.ok) return isOpen(answer);
  const { token, access_token = token } = tokenAnswer.parse(await answer.json());
  return isOpen(await fetch(tags, { headers: { Authorization: `Bearer ${access_token ?? ""}` } }));
}

/** @throws where the answer is neither a yes nor a no. */
function isOpen({ ok, status, url }: Response): boolean {
  if (ok || status === 404) return true;
  if (status === 401 || status === 403) return false;
  throw new Error(`${url} answered ${status}`);
}

/** Whether each image of a registry refuses a pull without a login, at the latest after so many seconds. */
export async function closes(registry: string, seconds: number, every = 5): Promise<boolean> {
  for (let left = seconds; ; left -= every) {
    const open = await Promise.all(
      catalogue.images.map(({ name }) => pullsAnonymously(`${registry}/${name}`)),
    );
    if (!open.includes(true)) return true;
    if (left <= 0) return false;
    await sleep(every * 1000);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [, , registry = "", seconds = "0"] = process.argv;
  process.exitCode = (await closes(registry, Number(seconds))) ? 0 : 1;
}
