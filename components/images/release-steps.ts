import * as pulumi from "@pulumi/pulumi";
import { problemsError, stopError } from "../../problems/problem.ts";
import { corrections, movedVersions, overtaken, type Plan } from "./plan.ts";
import type { Mark } from "./published.ts";
import { readRegistryTags, type Registry, setTags } from "./registry-tags.ts";

/** What is done between the steps of a release, at `up` alone. */
export interface ReleaseSteps {
  registry: Registry;
  plan: Plan;
  /** The version that is published, where it must not be another run's. */
  newVersion: string | undefined;
}

/**
 * Every build is pushed and no tag is set: marks the builds as the version's, so that a run that is killed from here on
 * can be completed, and the versions that a rollback leaves.
 *
 * @param builds the digest of each build that is tagged.
 * @throws one error where another run has published the version meanwhile.
 */
export async function markBuilds(
  { registry, plan, newVersion }: ReleaseSteps,
  builds: ReadonlyMap<string, string>,
): Promise<void> {
  const { candidate } = plan;
  const marks: Mark[] = [
    ...plan.marks,
    ...(candidate === undefined
      ? []
      : [...builds].map(([image, digest]) => ({ image, tag: candidate, digest }))),
  ];
  if (pulumi.runtime.isDryRun() || marks.length === 0) return;
  const now = await readRegistryTags(registry, [...plan.images.keys()]);
  const problems = newVersion === undefined ? [] : movedVersions(newVersion, builds, now);
  if (problems.length > 0) throw problemsError(problems, "no tag was set");
  await setTags(
    registry,
    marks.filter(({ image, tag, digest }) => now.get(image)?.get(tag) !== digest),
  );
}

/**
 * The version has its own tags, and floating ones are to be set.
 *
 * @throws one line where another run has published a higher version meanwhile.
 */
export async function stopIfOvertaken({ registry, plan }: ReleaseSteps): Promise<void> {
  if (pulumi.runtime.isDryRun() || plan.race === undefined) return;
  const why = overtaken(plan, await readRegistryTags(registry, [...plan.images.keys()]));
  if (why !== undefined) throw stopError(why);
}

/** The floating tags are set: those that another run had the right to are put on its version. */
export async function correctFloatingTags({ registry, plan }: ReleaseSteps): Promise<void> {
  if (pulumi.runtime.isDryRun() || plan.race === undefined) return;
  for (;;) {
    const marks = corrections(plan, await readRegistryTags(registry, [...plan.images.keys()]));
    if (marks.length === 0) return;
    await setTags(registry, marks);
  }
}
