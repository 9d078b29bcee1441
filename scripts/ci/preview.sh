#!/usr/bin/env bash
# Previews the images that main would publish from COMMIT, with a build, and the changes to production. Leaves the comment
# for the pull request in the job's output `comment` and in its summary. Fails if one of the previews fails.
set -euo pipefail

commit=${1:?"Usage: REGISTRY_BACKEND_URL=URL IMAGES_BACKEND_URL=URL scripts/ci/preview.sh COMMIT"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# preview BACKEND STACK [OPTION]...: writes STACK.json and STACK.err.
preview() {
  PULUMI_BACKEND_URL=$1 pulumi preview --json --stack "${@:2}" >"$work/$2.json" 2>"$work/$2.err" || status=$?
  cat "$work/$2.err" >&2
}

words=$(node scripts/ci/main.ts run-options refs/heads/main "$commit")
mapfile -t options <<<"$words"
preview "$IMAGES_BACKEND_URL" production-images "${options[@]}" --config hyperion-registry:buildOnPreview=true
preview "$REGISTRY_BACKEND_URL" production
node scripts/ci/main.ts preview-comment --output comment "$work/production" "$work/production-images"
exit "$status"
