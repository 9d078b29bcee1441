#!/usr/bin/env bash
# Runs a pulumi command again while somebody else holds the stack's lock: two publishing workflows may
# meet. Runs it once more if a build failed by a race of Docker 29 (components/images/docker/engine-race.ts). Any other
# failure ends it at once.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/retry-when-locked.sh [--for SECONDS] [--every SECONDS] COMMAND [ARGUMENT]...
  --for SECONDS    give up after this time (default: 1800)
  --every SECONDS  wait so long between two tries (default: 20)
Exit code: that of the last try.
USAGE
}

patience=1800
pause=20
while [ $# -gt 0 ]; do
  case $1 in
    --for | --every)
      [[ ${2:-} =~ ^[0-9]+$ ]] || break
      if [ "$1" = --for ]; then patience=$2; else pause=$2; fi
      shift 2
      ;;
    --help)
      usage
      exit 0
      ;;
    *) break ;;
  esac
done
case ${1:-} in '' | -*)
  usage >&2
  exit 2
  ;;
esac

# Whatever the state names: what is not installed is not loaded.
export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true

stack=production
for word; do
  if [ "${previous:-}" = --stack ]; then stack=$word; fi
  previous=$word
done

race='failed to prepare extraction snapshot .*parent snapshot [^ ]* does not exist: not found'

log=$(mktemp)
trap 'rm -f "$log"' EXIT
while true; do
  status=0
  # Both streams: Pulumi tells the lock on stderr. They still go where they went.
  { "$@" 2>&1 >&3 | tee "$log" >&2; } 3>&1 || status=$?
  [ "$status" -eq 0 ] && exit
  if [ -z "${raced:-}" ] && grep -q "$race" "$log"; then
    raced=yes
    echo "The Docker engine lost a layer of a build (moby/buildkit#6521); trying once more" >&2
    continue
  fi
  grep -q 'the stack is currently locked by\|Another update is currently in progress' "$log" || exit "$status"
  if [ "$SECONDS" -ge "$patience" ]; then
    echo "Still locked after $SECONDS s. If whoever holds it is gone: npm run pulumi -- cancel --stack $stack" >&2
    exit "$status"
  fi
  echo "Locked; trying again in $pause s" >&2
  sleep "$pause"
done
