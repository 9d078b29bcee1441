import { setTimeout as sleep } from "node:timers/promises";
import { iam } from "../../google/apis.ts";
import { callGoogle, refusal } from "../../google/client.ts";
import { lookupError, stateOf } from "../../google/existence.ts";

/** Undeletes an identity pool or a provider, and waits until it is there: an import right after would not find it. */
export async function undelete(name: string): Promise<void> {
  const answer = await callGoogle(iam, `${name}:undelete`, { method: "POST" });
  for (let attempt = 0; attempt < 30; attempt++) {
    // Also where it is refused: it may be the repeat of a call whose answer was lost.
    if ((await stateOf(iam, name)) === "ACTIVE") return;
    if (answer.status !== 200) break;
    await sleep(1000);
  }
  throw lookupError(name, `deleted, and Google answered ${refusal(answer)} when asked to undelete it`);
}
