import { CiServiceAccount } from "./components/ciServiceAccount";
import { ImageRepository } from "./components/imageRepository";
import { RepositoryAccess } from "./components/repositoryAccess";
import { preflight } from "./preflight/preflight";
import { release } from "./release";

/** Settings -> components -> outputs. */
export = async () => {
  const settings = await preflight();

  const { repository, url } = new ImageRepository("registry", {
    project: settings.project,
    location: settings.region,
    repositoryId: settings.repositoryId,
    description: "Prebuilt container images of Hyperion",
    labels: settings.labels,
    deleteUntaggedAfterDays: settings.cleanupUntaggedAfterDays,
    keepMostRecent: settings.cleanupKeepCount,
    cleanupDryRun: settings.cleanupDryRun,
    vulnerabilityScanning: settings.vulnerabilityScanning,
    adoptExisting: settings.adoptExisting,
    protect: settings.protect,
  });
  new RepositoryAccess("access", { repository, ...settings });
  const ci = new CiServiceAccount("ci", {
    project: settings.project,
    accountId: settings.ciServiceAccountId,
    repository,
    canPublish: settings.ciCanPublish,
  });

  return {
    registryUrl: url,
    images: settings.publishImages ? release(settings, url) : {},
    ciServiceAccountEmail: ci.email,
    publicAccess: settings.publicAccess,
  };
};
