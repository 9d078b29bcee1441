#!/usr/bin/env bash
# Compares production with its stack, and the stack with the program. Leaves the differences in the job's output `report`
# and in its summary.
set -euo pipefail

stack=${1:?"Usage: scripts/ci/look-for-drift.sh STACK"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Neither changes anything. Their output has the errors; drift-report fails on them.
pulumi refresh --preview-only --json --stack "$stack" >"$work/refresh.json" || true
pulumi preview --json --stack "$stack" >"$work/preview.json" || true
node scripts/ci/main.ts drift-report --output report "$work/refresh.json" "$work/preview.json"
