#!/usr/bin/env bash
# Publishes a git ref. The ref alone decides what is published; the version in the stack's file does not count.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/publish-ref.sh --stack NAME REF COMMIT REMOTE
  REF     refs/heads/main publishes the commit, and at the tip of main the day and edge; refs/tags/v1.4.2 the version
  REMOTE  the repository to ask for the tip, right before pulumi up
USAGE
}

if [ $# -ne 5 ] || [ "$1" != --stack ]; then
  usage >&2
  exit 2
fi

words=$(node scripts/ci/main.ts run-options "${@:3}")
mapfile -t options <<<"$words"
echo "${options[@]}"
# `scripts/ci/main.ts built-images` finds the run's builds by this message.
exec pulumi up --yes --skip-preview --stack "$2" --message "run ${GITHUB_RUN_ID:-by hand}" "${options[@]}"
