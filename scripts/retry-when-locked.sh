#!/usr/bin/env bash
# Repeats a pulumi command while another run holds the stack's lock; two publishing workflows can run at the same time.
# Repeats it once after the known race of Docker 29 (components/images/docker/engine-race.ts). Any other failure ends it.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/retry-when-locked.sh [--for SECONDS] [--every SECONDS] COMMAND [ARGUMENT]...
  --for SECONDS    give up after this time (default: 1800)
  --every SECONDS  wait between two tries (default: 20)
Exit code: the exit code of the last try.
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

# A state can name any plugin: never download one.
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
  : >"$log"
  # Pulumi reports the lock on stderr, a failed build on stdout. Both streams still go where the caller sent them.
  { "$@" 2>&1 >&3 | tee -a "$log" >&2; } 3>&1 | tee -a "$log" || status=$?
  [ "$status" -eq 0 ] && exit
  if [ -z "${raced:-}" ] && grep -q "$race" "$log"; then
    raced=yes
    echo "The Docker engine lost a layer of a build (moby/buildkit#6521); trying once more" >&2
    continue
  fi
  grep -q 'the stack is currently locked by\|Another update is currently in progress' "$log" || exit "$status"
  if [ "$SECONDS" -ge "$patience" ]; then
    echo "Still locked after $SECONDS s. If that run has ended, remove its lock: npm run pulumi -- cancel --stack $stack" >&2
    exit "$status"
  fi
  echo "Locked; trying again in $pause s" >&2
  sleep "$pause"
done
