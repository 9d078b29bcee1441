/**
 * A Dockerfile with a step that runs on the builder's own platform, whatever platform the image is for: the sandbox's
 * engine need not run programs of another one.
 *
 * @param run the step, `RUN sleep 3`.
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
