import { methodsOf, type Route } from "../../support/http/route.ts";
import { LOCATION } from "../../support/store.ts";

const api = methodsOf("compute.googleapis.com");

/** Regions that the sandbox knows: that of its registry, and some more to choose from. */
const REGIONS = ["europe-west1", LOCATION, "us-east1"];

/**
 * Compute Engine v1, as far as the gcp plugin asks it to know the region of its settings
 * (https://docs.cloud.google.com/compute/docs/reference/rest/v1/regions/list).
 */
export const routes: Route[] = [
  api.get("compute/v1/projects/{project}/regions", "compute.regions.list", ({ params }) => {
    const id = `projects/${params["project"] ?? ""}/regions`;
    const link = `https://www.googleapis.com/compute/v1/${id}`;
    return {
      kind: "compute#regionList",
      id,
      items: REGIONS.map((name) => ({
        kind: "compute#region",
        name,
        description: name,
        status: "UP",
        selfLink: `${link}/${name}`,
      })),
      selfLink: link,
    };
  }),
];
