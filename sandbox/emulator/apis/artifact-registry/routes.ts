import { adminRoute } from "../../support/http/admin-route.ts";
import { page } from "../../support/http/paging.ts";
import type { OpenRoute, Route } from "../../support/http/route.ts";
import { LOCATION } from "../../support/store.ts";
import { cleanUp } from "./cleanup.ts";
import { contents } from "./contents.ts";
import { onProject } from "./names.ts";
import { repositories } from "./repositories.ts";

/** Artifact Registry v1, with one location (https://docs.cloud.google.com/artifact-registry/docs/reference/rest). */
export const routes: (Route | OpenRoute)[] = [
  adminRoute("POST", "cleanup", async (context) => ({ repositories: await cleanUp(context) })),
  ...repositories,
  ...contents,
  onProject.get("v1/projects/{project}/locations", "artifactregistry.locations.list", ({ params, query }) => {
    const name = `projects/${params["project"] ?? ""}/locations/${LOCATION}`;
    return page("locations", [{ name, locationId: LOCATION, displayName: "Iowa" }], query);
  }),
];
