/**
 * Adds a step that runs on the builder's platform to a Dockerfile, because the sandbox's engine may not run programs of other
 * platforms.
 *
 * @param run the step: `RUN sleep 3`.
 */
export function withBuildStep(dockerfile: string, run: string): string {
  return [
    "FROM --platform=$BUILDPLATFORM hyperion-sandbox-base:24-$BUILDARCH AS step",
    run,
    "WORKDIR /step",
    "",
    dockerfile.trimEnd(),
    "COPY --from=step /step /step",
    "",
  ].join("\n");
}
