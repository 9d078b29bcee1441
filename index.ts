import { checkException } from "./components/access/check-exception.ts";
import { checkOrganizationPolicy } from "./components/access/check-organization-policy.ts";
import { findPublicAccess } from "./components/access/find-public-access.ts";
import { RepositoryAccess } from "./components/access/repository-access.ts";
import { checkAccounts } from "./components/ci/check-accounts.ts";
import { checkIdentity } from "./components/ci/check-identity.ts";
import { CiServiceAccount } from "./components/ci/ci-service-account.ts";
import { GITHUB_PROVIDER_ID, githubTokenRules } from "./components/ci/github-claims.ts";
import { undeleteIdentity } from "./components/ci/undelete-identity.ts";
import { warnOfMissingIds } from "./components/ci/warn-of-missing-ids.ts";
import { WorkloadIdentity } from "./components/ci/workload-identity.ts";
import { checkBuild } from "./components/images/check-build.ts";
import { checkTags, PublishedImages, readTags } from "./components/images/published-images.ts";
import { KEPT_TAG_PREFIXES } from "./components/images/tags/names.ts";
import { checkRepository } from "./components/repository/check-repository.ts";
import { versionsOfBuild } from "./components/repository/cleanup-rules.ts";
import { existingRepositoryUrl } from "./components/repository/existing-repository.ts";
import { ImageRepository } from "./components/repository/image-repository.ts";
import { lastOutputs } from "./google/last-outputs.ts";
import { runChecks } from "./problems/checks.ts";
import { githubTrust, readSettings } from "./settings/parse.ts";

export default async () => {
  // Configuration
  const settings = await readSettings(checkBuild);
  const { project, region: location, repositoryId, adoptExisting } = settings;
  const place = { project, location, repositoryId };
  const release = {
    version: settings.version,
    revision: settings.revision,
    releaseDate: settings.releaseDate,
  };
  const imageArgs = {
    repository: place,
    release,
    sourceDir: settings.sourceDir,
    platforms: settings.platforms,
    buildArgs: settings.buildArgs,
    buildCache: settings.buildCache,
    buildOnPreview: settings.buildOnPreview,
  };

  // A stack that only publishes images to the registry of another stack
  if (!settings.manageRegistry) {
    const [registryUrl, tags] = await Promise.all([existingRepositoryUrl(place), readTags(place)]);
    const { images } = new PublishedImages("images", { ...imageArgs, registryUrl, tags });
    return { registryUrl, images };
  }

  const trust = githubTrust(settings);
  if (trust) warnOfMissingIds(trust);
  const accountIds = { project, accountId: settings.ciServiceAccountId, withPreview: trust !== undefined };
  const identityIds = { project, poolId: settings.githubPoolId, providerId: GITHUB_PROVIDER_ID };

  // Checks
  const outputs = await lastOutputs();
  const isPublic = findPublicAccess(settings, outputs);
  const checked = await runChecks({
    repository: checkRepository(place, outputs, adoptExisting),
    accounts: checkAccounts(accountIds, outputs, adoptExisting),
    identity: checkIdentity(trust && identityIds, outputs, adoptExisting),
    adoptException: checkException(settings),
    organizationPolicy: checkOrganizationPolicy(settings),
    tags: checkTags(settings.publishImages, place),
  });
  const identityAdoption = await undeleteIdentity(identityIds, checked.identity);

  // Resources
  const registry = new ImageRepository("registry", {
    ...place,
    description: "Prebuilt container images of Hyperion",
    labels: settings.labels,
    expiry: {
      untaggedAfterDays: settings.cleanupUntaggedAfterDays,
      buildsAfterDays: settings.cleanupBuildsAfterDays,
      keepCount: settings.cleanupKeepCount,
      versionsPerBuild: versionsOfBuild(settings.platforms.length),
      keptTagPrefixes: KEPT_TAG_PREFIXES,
    },
    cleanupDryRun: settings.cleanupDryRun,
    vulnerabilityScanning: settings.vulnerabilityScanning,
    adoptExisting: checked.repository === "import",
    protect: settings.protect,
  });
  const { repository } = registry;

  const ci = new CiServiceAccount("ci", {
    ...accountIds,
    repository,
    canPublish: settings.ciCanPublish,
    adoptPublisher: checked.accounts.publisher === "import",
    adoptPreviewer: checked.accounts.previewer === "import",
  });
  const { api, publisher, previewer } = ci;

  const identity =
    trust &&
    previewer &&
    new WorkloadIdentity(
      "ci-github",
      {
        ...identityIds,
        ...githubTokenRules(trust),
        ...identityAdoption,
        api,
        accounts: { publish: publisher, preview: previewer },
      },
      { parent: ci },
    );

  const access = new RepositoryAccess("access", {
    project,
    repository,
    readers: settings.readers,
    writers: settings.writers,
    publicAccess: settings.publicAccess,
    overrideDomainRestrictedSharing: settings.overrideDomainRestrictedSharing,
    adoptException: checked.adoptException,
  });

  const published = settings.publishImages
    ? new PublishedImages("images", { ...imageArgs, registryUrl: registry.url, tags: checked.tags })
    : undefined;

  // Outputs
  return {
    /** Registry URL to push to and pull from, without a scheme. */
    registryUrl: registry.url,
    /** For each image: `reference` by digest, `digest`, `tags`, `pull` command. */
    images: published?.images ?? {},
    /** Email address of CI's service account. */
    ciServiceAccountEmail: publisher.email,
    ...(previewer && {
      /** Email address of the service account for previews of pull requests, with `githubRepository`. */
      previewServiceAccountEmail: previewer.email,
    }),
    ...(identity && {
      /** Full name of the provider, for `google-github-actions/auth`. */
      workloadIdentityProvider: identity.provider,
    }),
    /** Whether everyone can pull, by a binding of this stack or of another owner. */
    publicAccess: isPublic,
    /** Every principal that can pull by this stack's bindings. */
    readers: [...access.readers, ...ci.readers],
    /** Every principal that can push by this stack's bindings. */
    writers: [...access.writers, ...ci.writers],
  };
};
