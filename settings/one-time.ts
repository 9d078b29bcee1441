/**
 * Settings that are for one run, with what they are without it. What is published follows from `version` alone, which
 * stays; one of these left in a stack's file would change the next run.
 */
export const ONE_TIME: Readonly<Record<string, string>> = {
  revision: "",
  releaseDate: "",
};
