/** A measurement with a number of images. */
export interface Point {
  images: number;
  value: number;
}

/**
 * The growth for each image between the last two points, divided by the growth before. It is 1 for a line and about 3 for a
 * square.
 *
 * @param noise insignificant growth between the last two points.
 */
export function acceleration(points: readonly Point[], noise = 0): number {
  const [first, middle, last] = [points[0], points.at(-2), points.at(-1)];
  if (points.length < 3 || !first || !middle || !last) throw new Error("three points are needed");
  const grown = Math.max(0, last.value - middle.value - noise) / (last.images - middle.images);
  return grown === 0 ? 0 : grown / Math.max(0, (middle.value - first.value) / (middle.images - first.images));
}
