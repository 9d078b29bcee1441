/** Google's format, with six decimal places: `2026-11-23T19:30:12.668000Z`. */
export function timestamp(moment: Date): string {
  return moment.toISOString().replace("Z", "000Z");
}
