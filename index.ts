import { CiServiceAccount } from "./components/ci/ci-service-account.ts";
import { ImageRepository } from "./components/repository/image-repository.ts";
import { RepositoryAccess } from "./components/access/repository-access.ts";
import { adoption, poolId, providerId } from "./components/adoption.ts";
import { preflight } from "./settings/preflight.ts";
import { checkPublicAccess } from "./components/access/check-organization-policy.ts";
import { release } from "./components/images/release.ts";
import { githubTrust } from "./settings/settings.ts";

/** Settings -> components -> outputs. */
export default async () => {
  const settings = await preflight();
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
    repository,
    ...settings,
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
