import { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import * as pulumi from "@pulumi/pulumi";

/** A resource as the program declared it. */
export interface Declared {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** Logical name of the parent; empty for the stack. */
  parent: string;
  protect: boolean;
  importId: string;
  /** Logical names that it waits for. */
  dependsOn: string[];
  /** What a state that was made before calls it, as `parent/name`. */
  aliases: string[];
}

/** What most resources have of a declaration. */
export const PLAIN: Pick<Declared, "protect" | "importId" | "aliases" | "dependsOn"> = {
  protect: false,
  importId: "",
  aliases: [],
  dependsOn: [],
};

const REGISTRY = "us-central1-docker.pkg.dev/production-471918/hyperion-public";

/** The stack's full name, as the engine is asked for its state. */
const STACK = "organization/project/stack";

/** What the gcp plugin's own credentials are here. */
export const ACCESS_TOKEN = "the-plugin's-token";

/** Outputs that the real plugins compute, by type; a type that is not here is not one of the stack's. */
const COMPUTED: Record<string, (inputs: Record<string, unknown>) => Record<string, unknown>> = {
  "gcp:projects/service:Service": () => ({}),
  "gcp:artifactregistry/repository:Repository": () => ({ registryUri: REGISTRY }),
  "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": () => ({}),
  "gcp:serviceaccount/account:Account": ({ accountId, project }) => {
    const email = `${String(accountId)}@${String(project)}.iam.gserviceaccount.com`;
    return {
      email,
      member: `serviceAccount:${email}`,
      name: `projects/${String(project)}/serviceAccounts/${email}`,
    };
  },
  "gcp:serviceaccount/iAMMember:IAMMember": () => ({}),
  "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": ({ workloadIdentityPoolId }) => ({
    name: `projects/123456789012/locations/global/workloadIdentityPools/${String(workloadIdentityPoolId)}`,
  }),
  "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": (inputs) => ({
    name: `projects/123456789012/locations/global/workloadIdentityPools/${String(inputs["workloadIdentityPoolId"])}/providers/${String(inputs["workloadIdentityPoolProviderId"])}`,
  }),
  "gcp:orgpolicy/policy:Policy": () => ({}),
  "pulumi:providers:docker": () => ({}),
};

/** A preview does not know the digest of an image that it would build. */
const pushedImage =
  (pushed: Readonly<Record<string, string>>) =>
  ({ imageName }: Record<string, unknown>): Record<string, unknown> => {
    const digest = pushed[String(imageName)];
    return digest === undefined
      ? {}
      : { repoDigest: `${String(imageName).replace(/:[^:/]*$/, "")}@${digest}` };
  };

/** What is used here of the engine's end of a registration. */
interface Monitor {
  registerResource: (request: RegisterResourceRequest, callback: unknown) => Promise<void>;
}

interface RegisterResourceRequest {
  getType(): string;
  getName(): string;
  getObject(): { toJavaScript(): Record<string, unknown> };
  getParent(): string;
  getProtect(): boolean | undefined;
  getImportid(): string;
  getDependenciesList(): string[];
  getAliasesList(): { getSpec(): { getName(): string; getParenturn(): string } | undefined }[];
}

/** What there is of a stack before the program runs. */
export interface StackState {
  /** Outputs of its last `up`, as the engine answers them. Default: there was none. */
  outputs?: Record<string, unknown>;
  /** By reference, such as `HOST/PATH/ui:build-amd64`, the digest of each image that the docker plugin pushes or knows. */
  pushed?: Readonly<Record<string, string>>;
}

/** Logical name in a URN; none for the stack. */
function nameOf(urn: string): string {
  return urn.includes("::pulumi:pulumi:Stack::") ? "" : urn.replace(/^.*::/, "");
}

/**
 * Runs a piece of the program against mocks.
 * @returns every resource it declared, once all of them are registered, and what it returned.
 */
export async function declare<T>(
  program: () => T | Promise<T>,
  preview = false,
  { outputs = {}, pushed = {} }: StackState = {},
): Promise<{ resources: Declared[]; result: T }> {
  const resources: Declared[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }: pulumi.runtime.MockResourceArgs) => {
        const computed = { ...COMPUTED, "docker:index/image:Image": pushedImage(pushed) }[type];
        if (computed === undefined && !type.startsWith("hyperion:registry:")) {
          throw new Error(`unexpected resource ${type} ${name}`);
        }
        const state = inputs as Record<string, unknown>;
        return { id: `${name}-id`, state: { ...state, ...computed?.(state) } };
      },
      call: ({ token, inputs }: pulumi.runtime.MockCallArgs) => {
        const { name } = inputs as { name?: string };
        if (token === "pulumi:pulumi:readStackOutputs" && name === STACK) return { outputs };
        if (token === "gcp:organizations/getClientConfig:getClientConfig")
          return { accessToken: ACCESS_TOKEN };
        if (token === "gcp:artifactregistry/getRepository:getRepository") {
          const { project, location, repositoryId } = inputs as Record<string, string>;
          const path = `${String(project)}/${String(repositoryId)}`;
          if (REGISTRY.endsWith(path)) return { registryUri: REGISTRY };
          const name = `projects/${String(project)}/locations/${String(location)}/repositories/${String(repositoryId)}`;
          // As gRPC tells it: the SDK takes the details alone.
          const details = `invoking ${token}: 1 error occurred:\n\t* ${name} not found\n\n`;
          throw Object.assign(new Error(details), { details });
        }
        throw new Error(`unexpected call ${token}`);
      },
    },
    "project",
    "stack",
    preview,
    "organization",
  );
  // Mocks do not tell a resource's options; the request to the engine does.
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    resources.push({
      type: request.getType(),
      name: request.getName(),
      inputs: request.getObject().toJavaScript(),
      parent: nameOf(request.getParent()),
      protect: request.getProtect() ?? false,
      importId: request.getImportid(),
      dependsOn: request.getDependenciesList().map(nameOf).sort(),
      aliases: request.getAliasesList().flatMap((alias) => {
        const spec = alias.getSpec();
        return spec === undefined ? [] : `${nameOf(spec.getParenturn())}/${spec.getName()}`;
      }),
    });
    return register(request, callback);
  };
  const result = await program();
  await pulumi.runtime.disconnect();
  return { resources, result };
}

/** What a component declares beside a repository, named `given`, that it is given. */
export async function declareOn<T>(
  component: (repository: Repository) => T,
): Promise<{ resources: Declared[]; result: T }> {
  const { resources, result } = await declare(() =>
    component(
      new Repository("given", {
        project: "production-471918",
        location: "us-central1",
        repositoryId: "hyperion-public",
        format: "DOCKER",
      }),
    ),
  );
  return {
    resources: resources.filter(({ name, type }) => name !== "given" && !type.startsWith("hyperion:")),
    result,
  };
}

/** The value of an output. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}
