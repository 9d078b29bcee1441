import { messageOf } from "../../../problems/wording.ts";
import type { Context } from "../rpc/provider.ts";
import { type GoogleClient, isPassingAnswer } from "./client.ts";

/** Asks which regions there are, as the real plugin does whenever it starts; without an answer it warns. */
export async function askForRegions(client: GoogleClient, context: Context): Promise<void> {
  const { project, validatesRegion } = client.settings;
  if (!validatesRegion || project === "") return;
  const path = `projects/${project}/regions`;
  try {
    await client.send({ api: "compute", method: "GET", path, signal: context.signal }, isPassingAnswer);
  } catch (error) {
    context.log("warning", `failed to get regions list: ${messageOf(error)}`);
  }
}
