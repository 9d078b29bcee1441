import { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import * as pulumi from "@pulumi/pulumi";
import { repositoryName } from "../../google/full-names.ts";
import { addMark } from "../../google/marks.ts";
import { cleanupPolicies, type Expiry } from "./cleanup-rules.ts";

export interface ImageRepositoryArgs {
  /** Google Cloud project of the repository. */
  project: string;
  /** Region of the repository, such as `us-central1`. */
  location: string;
  /** Name of the repository. */
  repositoryId: string;
  /** Description for the console. */
  description: string;
  /** Labels for cost reports and search. */
  labels: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** When cleanup deletes versions. */
  expiry: Expiry;
  /** Only log what the cleanup policies would delete. */
  cleanupDryRun: pulumi.Input<boolean>;
  /** Vulnerability scanning: inherited from the project, or disabled for this repository. */
  vulnerabilityScanning: pulumi.Input<"inherited" | "disabled">;
  /** Import the existing repository. Differences are updated in place. */
  adoptExisting: boolean;
  /** Refuse to destroy the repository. */
  protect: boolean;
}

/** A Docker repository in Artifact Registry: the API, the repository and its cleanup policies. */
export class ImageRepository extends pulumi.ComponentResource {
  public readonly repository: Repository;
  /** Registry URL without a scheme: `us-central1-docker.pkg.dev/my-project/my-repository`. */
  public readonly url: pulumi.Output<string>;

  constructor(name: string, args: ImageRepositoryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:ImageRepository", name, {}, opts);
    const { project, location, repositoryId } = args;
    const api = new Service(
      name,
      // Stays enabled after destroy, because others in the project may use it.
      { project, service: "artifactregistry.googleapis.com", disableOnDestroy: false },
      { parent: this },
    );
    this.repository = new Repository(
      name,
      {
        project,
        location,
        repositoryId,
        format: "DOCKER",
        description: addMark(args.description),
        labels: args.labels,
        cleanupPolicyDryRun: args.cleanupDryRun,
        cleanupPolicies: cleanupPolicies(args.expiry),
        vulnerabilityScanningConfig: {
          enablementConfig: pulumi.output(args.vulnerabilityScanning).apply((mode) => mode.toUpperCase()),
        },
      },
      {
        parent: this,
        dependsOn: api,
        protect: args.protect,
        ...(args.adoptExisting && { import: repositoryName({ project, location, repositoryId }) }),
      },
    );
    this.url = this.repository.registryUri;
    this.registerOutputs({ url: this.url });
  }
}
