#!/usr/bin/env bash
# Looks whether production is still as a stack says. Leaves what differs in the job's output `report` and in its summary.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/ci/look-for-drift.sh [--program] STACK
  --program  compare the state with the program too; what a stack of images is to hold is said by a release
USAGE
}

program=false
if [ "${1:-}" = --program ]; then
  program=true
  shift
fi
if [ $# -ne 1 ]; then
  usage >&2
  exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
found=("$work/refresh.json")
# Neither changes anything; a failure is in their output, and drift-report fails with it.
pulumi refresh --preview-only --json --stack "$1" >"$work/refresh.json" || true
if $program; then
  pulumi preview --json --stack "$1" >"$work/preview.json" || true
  found+=("$work/preview.json")
fi
node scripts/ci/main.ts drift-report --output report "${found[@]}"
