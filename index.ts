import * as pulumi from "@pulumi/pulumi";
import { checkException } from "./components/access/check-exception.ts";
import { checkPublicAccess } from "./components/access/check-organization-policy.ts";
import { checkPublicGrants } from "./components/access/check-public-grants.ts";
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
import type { RegistryTags } from "./components/images/tags/versions.ts";
import { checkRepository } from "./components/repository/check-repository.ts";
import { existingRepositoryUrl } from "./components/repository/existing-repository.ts";
import { versionsOfBuild } from "./components/repository/cleanup-rules.ts";
import { ImageRepository } from "./components/repository/image-repository.ts";
import { lastOutputs } from "./google/last-outputs.ts";
import { allSound } from "./problems/checks.ts";
import { githubTrust } from "./settings/parse.ts";
import { readSettings } from "./settings/read.ts";

/** Settings -> components -> outputs. */
export default async () => {
  const settings = await readSettings(checkBuild);
  const { project, region: location, repositoryId, adoptExisting } = settings;
  const repository = { project, location, repositoryId };
  const publish = (registryUrl: pulumi.Input<string>, tags: RegistryTags) =>
    new PublishedImages("images", { ...settings, repository, registryUrl, tags, release: settings }).images;
  if (!settings.manageRegistry) {
    const [registryUrl, tags] = await Promise.all([existingRepositoryUrl(repository), readTags(repository)]);
    const images = publish(registryUrl, tags);
    return { registryUrl, images };
  }
  const trust = githubTrust(settings);
  if (trust) warnOfMissingIds(trust);
  const identityIds = { project, poolId: settings.githubPoolId, providerId: GITHUB_PROVIDER_ID };
  const outputs = await lastOutputs();
  const isPublic = checkPublicGrants(settings, outputs);
  const [repositoryFate, accountFates, identityFates, adoptException, , tags] = await allSound(
    checkRepository(repository, outputs, adoptExisting),
    checkAccounts(
      { project, accountId: settings.ciServiceAccountId, withPreview: trust !== undefined },
      outputs,
      adoptExisting,
    ),
    checkIdentity(trust && identityIds, outputs, adoptExisting),
    checkException(settings),
    checkPublicAccess(settings),
    checkTags(settings.publishImages, repository),
  );
  const adoptIdentity = await undeleteIdentity(identityIds, identityFates);

  const registry = new ImageRepository("registry", {
    project,
    location,
    repositoryId,
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
    adoptExisting: repositoryFate === "import",
    protect: settings.protect,
  });
  const ci = new CiServiceAccount("ci", {
    project,
    accountId: settings.ciServiceAccountId,
    repository: registry.repository,
    canPublish: settings.ciCanPublish,
    withPreview: trust !== undefined,
    adoptPublisher: accountFates.publisher === "import",
    adoptPreviewer: accountFates.previewer === "import",
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
        api,
        accounts: { publish: publisher, preview: previewer },
        ...adoptIdentity,
      },
      { parent: ci },
    );
  const access = new RepositoryAccess("access", {
    project,
    repository: registry.repository,
    readers: settings.readers,
    writers: settings.writers,
    publicAccess: settings.publicAccess,
    overrideDomainRestrictedSharing: settings.overrideDomainRestrictedSharing,
    adoptException,
  });

  return {
    /** Where images are pushed and pulled, without a scheme. */
    registryUrl: registry.url,
    /** For each image: `reference` by digest, `digest`, `tags`, `pull` command. */
    images: settings.publishImages ? publish(registry.url, tags) : {},
    /** The service account of CI. */
    ciServiceAccountEmail: publisher.email,
    ...(previewer && {
      /** The one that pull requests preview as, with `githubRepository`. */
      previewServiceAccountEmail: previewer.email,
    }),
    ...(identity && {
      /** Full name of the provider, for `google-github-actions/auth`. */
      workloadIdentityProvider: identity.provider,
    }),
    /** Whether everybody may pull, by this stack's binding or somebody else's. */
    publicAccess: isPublic,
    /** Every principal that this stack lets pull. */
    readers: [...access.readers, ...ci.readers],
    /** Every principal that this stack lets push. */
    writers: [...access.writers, ...ci.writers],
  };
};
