import Table from "cli-table3";
import prettyBytes from "pretty-bytes";
import type { Content, ImageVersion } from "./content.ts";
import { DOLLARS_PER_GB_MONTH, FREE_GB, monthlyStorageCost } from "./cost.ts";
import { policyText } from "./policy-text.ts";

/** A repository's content, with the versions that cleanup would delete now. */
export interface Report extends Content {
  deletes: ImageVersion[];
}

export function reportText(report: Report, now: Date): string {
  const { url, versions, storedBytes } = report;
  return [
    `${url}: ${count(versions.length, "version")} of ${count(new Set(versions.map(({ image }) => image)).size, "image")}`,
    ...(versions.length > 0 ? [versionTable(versions, now)] : []),
    "",
    `Stored    ${size(storedBytes)}, with each shared layer counted once`,
    `Cost      about ${dollars(monthlyStorageCost(storedBytes))} a month to keep: $${DOLLARS_PER_GB_MONTH.toFixed(2)} per GB above the free ${FREE_GB} GB (2^30 bytes) of the billing account`,
    "          Pulls are billed separately: free to Google Cloud in the same region, about $0.12 per GB to the internet (docs/COST.md)",
    `Cleanup   ${cleanup(report)}`,
    `Public    ${publicText(report)}`,
  ].join("\n");
}

function versionTable(versions: readonly ImageVersion[], now: Date): string {
  const table = new Table({
    head: ["image", "tags", "digest", "platforms", "size", "age"],
    style: { head: [], border: [] },
  });
  for (const { image, tags, digest, platforms, sizeBytes, uploaded } of versions)
    table.push([
      image,
      tags.join(", ") || "(none)",
      digest.slice(0, 19),
      platforms.map((platform) => platform.replace(/^linux\//, "")).join(", "),
      size(sizeBytes),
      age(uploaded, now),
    ]);
  return table.toString();
}

function cleanup({ policies, dryRun, deletes }: Report): string {
  const rules = Object.entries(policies).map(([id, policy]) => `${id}: ${policyText(policy)}`);
  if (rules.length === 0) return "no policy: nothing is ever deleted";
  const bytes = deletes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const what = `${count(deletes.length, "version")}, at most ${size(bytes)}:`;
  const outcome =
    deletes.length === 0
      ? "nothing to delete now"
      : dryRun
        ? `would delete ${what}`
        : `deletes, within a day, ${what}`;
  return [
    ...(dryRun ? ["cleanupDryRun is on: nothing is deleted, only logged"] : []),
    ...rules,
    outcome,
    ...deletes.map(({ image, digest }) => `  ${image}@${digest}`),
  ].join(`\n${" ".repeat(10)}`);
}

function publicText({ publicGrants: grants }: Report): string {
  if (grants === undefined) return "unknown: this needs artifactregistry.repositories.getIamPolicy";
  if (grants.length === 0) return "no: a pull needs a login";
  return `yes: ${grants.map(({ member, role }) => `${member} has ${role}`).join(", ")}`;
}

function size(bytes: number): string {
  return prettyBytes(bytes, { binary: true });
}

function dollars(amount: number): string {
  return `$${amount.toFixed(2)}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function age(from: Date, now: Date): string {
  const hours = Math.floor((now.getTime() - from.getTime()) / 3_600_000);
  return hours < 48 ? `${Math.max(0, hours)} h` : `${Math.floor(hours / 24)} days`;
}
