#!/usr/bin/env bash
# Looks whether production is still as a stack says, and whether all of it is applied. Leaves what differs in the job's output
# `report` and in its summary.
set -euo pipefail

if [ $# -ne 1 ]; then
  echo "Usage: scripts/ci/look-for-drift.sh STACK" >&2
  exit 2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Neither changes anything; a failure is in their output, and drift-report fails with it.
pulumi refresh --preview-only --json --stack "$1" >"$work/refresh.json" || true
pulumi preview --json --stack "$1" >"$work/preview.json" || true
node scripts/ci/main.ts drift-report --output report "$work/refresh.json" "$work/preview.json"
