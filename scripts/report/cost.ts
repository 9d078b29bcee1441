/** A GB of Google's bills, in bytes: 2^30. */
export const GB = 2 ** 30;

/** Free storage of a billing account, in GB (https://cloud.google.com/artifact-registry/pricing). */
export const FREE_GB = 0.5;

/** US dollars for a GB and month of storage above the free part (same page). */
export const DOLLARS_PER_GB_MONTH = 0.1;

/**
 * What keeping so many bytes costs a month, in US dollars, where nothing else of the billing account
 * uses the free part. Pulls are billed apart (docs/COST.md).
 */
export function monthlyStorageCost(bytes: number): number {
  return Math.max(0, bytes / GB - FREE_GB) * DOLLARS_PER_GB_MONTH;
}
