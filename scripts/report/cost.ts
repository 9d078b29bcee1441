/** A GB on Google's bills, in bytes. */
export const GB = 2 ** 30;

/** Free storage of a billing account, in GB (https://cloud.google.com/artifact-registry/pricing). */
export const FREE_GB = 0.5;

/** US dollars for each GB and month above the free storage (same page). */
export const DOLLARS_PER_GB_MONTH = 0.1;

/**
 * The cost of stored bytes, in US dollars a month, if nothing else in the billing account uses the free storage. Pulls are
 * billed separately (docs/COST.md).
 */
export function monthlyStorageCost(bytes: number): number {
  return Math.max(0, bytes / GB - FREE_GB) * DOLLARS_PER_GB_MONTH;
}
