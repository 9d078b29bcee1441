import { notFound } from "../../support/http/errors.ts";
import { ANY_CALLER, type Methods, methodsOf, type Route } from "../../support/http/route.ts";
import { projectOf } from "../../support/projects.ts";

const artifactRegistry = methodsOf("artifactregistry.googleapis.com");
const iam = methodsOf("iam.googleapis.com");
const serviceUsage = methodsOf("serviceusage.googleapis.com");

/** A route of an operation, whose name is the path without the version. */
function get(api: Methods, path: string, version = "v1/"): Route {
  return api.get(`${version}${path}`, ANY_CALLER, ({ context, params }) => {
    const name = path.replace(/\{(\w+)\}/g, (_, key: string) => params[key] ?? "");
    const { operations: known } = context.store.state;
    // Operations have the project's id or number in their names, depending on the API.
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
  // The gcp plugin polls operations of this API with different versions or none.
  ...["", "v1/", "v1beta1/"].map((version) => get(serviceUsage, "operations/{operation}", version)),
  get(iam, `${POOL}/operations/{operation}`),
  get(iam, `${POOL}/providers/{provider}/operations/{operation}`),
  get(artifactRegistry, "projects/{project}/locations/{location}/operations/{operation}"),
];
