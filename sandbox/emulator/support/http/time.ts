/** A moment as Google's APIs write it, with six digits of a second: `2026-11-23T19:30:12.668000Z`. */
export function timestamp(moment: Date): string {
  return moment.toISOString().replace("Z", "000Z");
}
