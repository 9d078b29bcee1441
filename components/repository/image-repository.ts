import { Repository } from "@pulumi/gcp/artifactregistry/repository.js";
import { Service } from "@pulumi/gcp/projects/service.js";
import * as pulumi from "@pulumi/pulumi";
import { repositoryName } from "../../google/full-names.ts";
import { marked } from "../../google/marks.ts";
import { cleanupPolicies, type Expiry } from "./cleanup-rules.ts";

export interface ImageRepositoryArgs {
  /** Google Cloud project of the repository. */
  project: string;
  /** Region of the repository, such as `us-central1`. */
  location: string;
  /** Name of the repository. */
  repositoryId: string;
  /** What the repository is for, as the console shows it. */
  description: string;
  /** Labels, for cost reports and search. */
  labels: Readonly<Record<string, string>>;
  /** What cleanup deletes, and when. */
  expiry: Expiry;
  /** Only log what the cleanup policies would delete. */
  cleanupDryRun: boolean;
  /** Vulnerability scanning: as the project has it, or off here. */
  vulnerabilityScanning: "inherited" | "disabled";
  /** Import the repository that exists already; what differs is then updated in place. */
  adoptExisting: boolean;
  /** Refuse to destroy the repository. */
  protect: boolean;
}

/** A Docker repository in Artifact Registry: the API that it takes, and what it keeps. */
export class ImageRepository extends pulumi.ComponentResource {
  public readonly repository: Repository;
  /** Where images are pushed and pulled, without a scheme: `us-central1-docker.pkg.dev/my-project/my-repository`. */
  public readonly url: pulumi.Output<string>;

  constructor(name: string, args: ImageRepositoryArgs, opts?: pulumi.ComponentResourceOptions) {
    super("hyperion:registry:ImageRepository", name, {}, opts);
    const api = new Service(
      name,
      // Left enabled by destroy: others in the project may use it.
      { project: args.project, service: "artifactregistry.googleapis.com", disableOnDestroy: false },
      { parent: this },
    );
    const id = repositoryName(args.project, args.location, args.repositoryId);
    this.repository = new Repository(
      name,
      {
        project: args.project,
        location: args.location,
        repositoryId: args.repositoryId,
        format: "DOCKER",
        description: marked(args.description),
        labels: args.labels,
        cleanupPolicyDryRun: args.cleanupDryRun,
        cleanupPolicies: cleanupPolicies(args.expiry),
        vulnerabilityScanningConfig: { enablementConfig: args.vulnerabilityScanning.toUpperCase() },
      },
      { parent: this, dependsOn: api, protect: args.protect, ...(args.adoptExisting && { import: id }) },
    );
    this.url = this.repository.registryUri;
    this.registerOutputs({ url: this.url });
  }
}
