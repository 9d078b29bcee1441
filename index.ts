import { CiServiceAccount } from "./components/ci/ci-service-account.ts";
import { ImageRepository } from "./components/repository/image-repository.ts";
import { RepositoryAccess } from "./components/access/repository-access.ts";
import { adoption, poolId, providerId } from "./components/adoption.ts";
import { checkBuild } from "./components/images/check-build.ts";
import { readSettings } from "./settings/read.ts";
import { checkPublicAccess } from "./components/access/check-organization-policy.ts";
import { release } from "./components/images/release.ts";
import { githubTrust } from "./settings/parse.ts";

/** Settings -> components -> outputs. */
export default async () => {
  const settings = await readSettings(checkBuild);
  await checkPublicAccess(settings);
  const adopt = await adoption(settings);

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
    adoptExisting: adopt.repository,
    protect: settings.protect,
  });
  const trust = githubTrust(settings);
  const ci = new CiServiceAccount("ci", {
    project: settings.project,
    accountId: settings.ciServiceAccountId,
    repository,
    canPublish: settings.ciCanPublish,
    ...(trust && {
      github: { ...trust, poolId, providerId, adoptPool: adopt.pool, adoptProvider: adopt.provider },
    }),
  });
  const access = new RepositoryAccess("access", {
    project: settings.project,
    repository,
    readers: settings.readers,
    writers: settings.writers,
    publicAccess: settings.publicAccess,
    overrideDomainRestrictedSharing: settings.overrideDomainRestrictedSharing,
    adoptException: adopt.exception,
  });

  return {
    registryUrl: url,
    images: settings.publishImages ? release(settings, url) : {},
    ciServiceAccountEmail: ci.email,
    ...(ci.previewEmail && { previewServiceAccountEmail: ci.previewEmail }),
    ...(ci.workloadIdentityProvider && { workloadIdentityProvider: ci.workloadIdentityProvider }),
    publicAccess: settings.publicAccess,
    readers: [...access.readers, ...ci.readers],
    writers: [...access.writers, ...ci.writers],
  };
};
