import { notFound } from "../../support/http/errors.ts";
import { page } from "../../support/http/paging.ts";
import { ANY_CALLER, type Methods, methodsOf, type Route } from "../../support/http/route.ts";
import { projectOf } from "../../support/projects.ts";

const artifactRegistry = methodsOf("artifactregistry.googleapis.com");
const iam = methodsOf("iam.googleapis.com");
const serviceUsage = methodsOf("serviceusage.googleapis.com");

/** A route that answers an operation; its name is the path without the version. */
function get(api: Methods, path: string, version = "v1/"): Route {
  return api.get(`${version}${path}`, ANY_CALLER, ({ context, params }) => {
    const name = path.replace(/\{(\w+)\}/g, (_, key: string) => params[key] ?? "");
    const { operations: known } = context.store.state;
    // Some APIs name their operations by the project's id, some by its number.
    const byNumber = (): string =>
      name.replace(/^projects\/[^/]+/, `projects/${projectOf(context, params).projectNumber}`);
    const operation = known[name] ?? (name.startsWith("projects/") ? known[byNumber()] : undefined);
    if (!operation) throw notFound();
    return operation;
  });
}

const POOL = "projects/{project}/locations/global/workloadIdentityPools/{pool}";

/** Long-running operations of all APIs. */
export const routes: Route[] = [
  // The gcp plugin asks for operations of this API where its endpoint is, with a version of its own or with none.
  ...["", "v1/", "v1beta1/"].map((version) => get(serviceUsage, "operations/{operation}", version)),
  get(iam, `${POOL}/operations/{operation}`),
  get(iam, `${POOL}/providers/{provider}/operations/{operation}`),
  get(artifactRegistry, "projects/{project}/locations/{location}/operations/{operation}"),
  artifactRegistry.get(
    "v1/projects/{project}/locations/{location}/operations",
    ANY_CALLER,
    ({ context, params, query }) => {
      const under = `projects/${params["project"] ?? ""}/locations/${params["location"] ?? ""}/operations/`;
      const all = Object.values(context.store.state.operations).filter(({ name }) => name.startsWith(under));
      return page("operations", all, query);
    },
  ),
];
