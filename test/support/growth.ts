/** What was measured at a number of images. */
export interface Point {
  images: number;
  value: number;
}

/**
 * How much faster a measure grows at the end than at the beginning: the growth for each further image between the last
 * two points over that between the first and the last but one. A line has 1, whatever its start; a square about 3.
 *
 * @param noise growth between the last two points that says nothing, in the measure's unit.
 */
export function acceleration(points: readonly Point[], noise = 0): number {
  const [first, middle, last] = [points[0], points.at(-2), points.at(-1)];
  if (points.length < 3 || !first || !middle || !last) throw new Error("three points are needed");
  const grown = Math.max(0, last.value - middle.value - noise) / (last.images - middle.images);
  return grown === 0 ? 0 : grown / Math.max(0, (middle.value - first.value) / (middle.images - first.images));
}
