#!/usr/bin/env bash
# Previews what main would publish from COMMIT, with a build, and what production would become. Leaves the comment on the
# pull request in the job's output `comment` and in its summary; fails where one of the previews fails.
set -euo pipefail

if [ $# -ne 1 ]; then
  echo "Usage: REGISTRY_BACKEND_URL=URL IMAGES_BACKEND_URL=URL scripts/ci/preview.sh COMMIT" >&2
  exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0

# preview BACKEND STACK [OPTION]...: keeps what it found, or why it failed, below the name of the stack.
preview() {
  PULUMI_BACKEND_URL=$1 pulumi preview --json --stack "${@:2}" >"$work/$2.json" 2>"$work/$2.err" || status=$?
  cat "$work/$2.err" >&2
}

words=$(node scripts/ci/main.ts run-options refs/heads/main "$1")
mapfile -t options <<<"$words"
preview "$IMAGES_BACKEND_URL" production-images "${options[@]}" --config hyperion-registry:buildOnPreview=true
preview "$REGISTRY_BACKEND_URL" production
node scripts/ci/main.ts preview-comment --output comment "$work/production" "$work/production-images"
exit "$status"
