/** Settings for a single run, with their defaults. A value that stays in the stack's file would change the next run. */
export const ONE_TIME: Readonly<Record<string, string>> = {
  revision: "",
  releaseDate: "",
};
