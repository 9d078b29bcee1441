import { notFound } from "../../support/http/errors.ts";
import { page } from "../../support/http/paging.ts";
import { route, type Route } from "../../support/http/route.ts";
import { projectOf } from "../../support/projects.ts";

const artifactRegistry = "artifactregistry.googleapis.com";
const iam = "iam.googleapis.com";

/** A route that answers an operation; its name is the path without the version. */
function get(path: string, service: string, version = "v1/"): Route {
  return route({
    method: "GET",
    path: `${version}${path}`,
    service,
    handle: ({ context, params }) => {
      const name = path.replace(/\{(\w+)\}/g, (_, key: string) => params[key] ?? "");
      const { operations: known } = context.store.state;
      // Some APIs name their operations by the project's id, some by its number.
      const byNumber = (): string =>
        name.replace(/^projects\/[^/]+/, `projects/${projectOf(context, params).projectNumber}`);
      const operation = known[name] ?? (name.startsWith("projects/") ? known[byNumber()] : undefined);
      if (!operation) throw notFound();
      return operation;
    },
  });
}

const POOL = "projects/{project}/locations/global/workloadIdentityPools/{pool}";

/** Long-running operations of all APIs. */
export const routes: Route[] = [
  // The gcp plugin asks for operations of this API where its endpoint is, with a version of its own or with none.
  ...["", "v1/", "v1beta1/"].map((version) =>
    get("operations/{operation}", "serviceusage.googleapis.com", version),
  ),
  get(`${POOL}/operations/{operation}`, iam),
  get(`${POOL}/providers/{provider}/operations/{operation}`, iam),
  get("projects/{project}/locations/{location}/operations/{operation}", artifactRegistry),
  route({
    method: "GET",
    path: "v1/projects/{project}/locations/{location}/operations",
    service: artifactRegistry,
    handle: ({ context, params, query }) => {
      const under = `projects/${params["project"] ?? ""}/locations/${params["location"] ?? ""}/operations/`;
      const all = Object.values(context.store.state.operations).filter(({ name }) => name.startsWith(under));
      return page("operations", all, query);
    },
  }),
];
