#!/usr/bin/env bash
# Publishes what a git ref stands for. What is published follows from the ref alone, whatever the stack's file says.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/publish-ref.sh --stack NAME REF COMMIT REMOTE
  REF     refs/heads/main: the commit, and at the tip of main the day and edge; refs/tags/v1.4.2: the version
  REMOTE  the repository that is asked, right before pulumi up, which commit is the tip
USAGE
}

if [ $# -ne 5 ] || [ "$1" != --stack ]; then
  usage >&2
  exit 2
fi

words=$(node scripts/ci/main.ts run-options "${@:3}")
mapfile -t options <<<"$words"
echo "${options[@]}"
# By this message `scripts/ci/main.ts built-images` knows what the run built.
exec pulumi up --yes --skip-preview --stack "$2" --message "run ${GITHUB_RUN_ID:-by hand}" "${options[@]}"
