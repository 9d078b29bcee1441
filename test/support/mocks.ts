import { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import * as pulumi from "@pulumi/pulumi";

/** A declared resource. */
export interface Declared {
  type: string;
  name: string;
  inputs: Record<string, unknown>;
  /** Logical name of the parent; empty for the stack. */
  parent: string;
  protect: boolean;
  importId: string;
  /** Logical names. */
  dependsOn: string[];
}

/** The options of most resources. */
export const PLAIN: Pick<Declared, "protect" | "importId" | "dependsOn"> = {
  protect: false,
  importId: "",
  dependsOn: [],
};

const REGISTRY = "us-central1-docker.pkg.dev/production-471918/hyperion-public";

/** The gcp plugin's access token. */
export const ACCESS_TOKEN = "the-plugin's-token";

/** Computed outputs by type. Other types are unexpected. */
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

/** Images that are not in `pushed` have no digest, as in a preview. */
const pushedImage =
  (pushed: Readonly<Record<string, string>>) =>
  ({ imageName }: Record<string, unknown>): Record<string, unknown> => {
    const digest = pushed[String(imageName)];
    return digest === undefined
      ? {}
      : { repoDigest: `${String(imageName).replace(/:[^:/]*$/, "")}@${digest}` };
  };

/** The methods of the SDK's monitor that are used here. */
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
}

/** The logical name in a URN; empty for the stack. */
function nameOf(urn: string): string {
  return urn.includes("::pulumi:pulumi:Stack::") ? "" : urn.replace(/^.*::/, "");
}

/**
 * Runs a part of the program with mocks.
 * @param pushed digests of pushed images, by reference: `HOST/PATH/ui:build-amd64`.
 * @returns the declared resources, and the part's result.
 */
export async function declare<T>(
  program: () => T | Promise<T>,
  preview = false,
  pushed: Readonly<Record<string, string>> = {},
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
        if (token === "gcp:organizations/getClientConfig:getClientConfig")
          return { accessToken: ACCESS_TOKEN };
        if (token === "gcp:artifactregistry/getRepository:getRepository") {
          const { project, location, repositoryId } = inputs as Record<string, string>;
          const path = `${String(project)}/${String(repositoryId)}`;
          if (REGISTRY.endsWith(path)) return { registryUri: REGISTRY };
          const name = `projects/${String(project)}/locations/${String(location)}/repositories/${String(repositoryId)}`;
          // The SDK reads `details` of gRPC errors.
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
  // Mocks do not receive resource options, but the request to the engine has them.
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
    });
    return register(request, callback);
  };
  try {
    return { resources, result: await program() };
  } finally {
    await endMocks();
  }
}

/** Removes the mocks from the SDK, whose settings are global. */
export async function endMocks(): Promise<void> {
  await pulumi.runtime.disconnect();
  pulumi.runtime.resetOptions("project", "stack", -1, "", "", false, "");
}

/** Runs a component with a repository; returns the other resources. */
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

export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}
