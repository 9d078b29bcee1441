#!/usr/bin/env bash
# Copies the data of an earlier compose file's volumes to the current ones, and leaves the earlier ones alone. Runs on bash
# 3.2 (macOS).
set -euo pipefail

usage() {
  cat <<'USAGE'
Copies MongoDB's and Qdrant's data from the volumes of an earlier compose file (PROJECT_mongodb_data, PROJECT_mongodb_config,
PROJECT_qdrant_data) to the current ones (hyperion_mongodb-data and so on). Deletes and overwrites nothing: the current
volumes must not exist yet, and no container may use the earlier ones.

Usage: scripts/copy-compose-volumes.sh PROJECT
  PROJECT   the start of the volumes' names: the name of the folder of the earlier compose file

MONGODB_IMAGE names the image that copies (default: mongo:7.0). Exit code: 0 copied; 1 Docker failed; 2 nothing was started.
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/problems.sh
source "$root/scripts/lib/problems.sh"
# shellcheck source=scripts/lib/compose-volumes.sh
source "$root/scripts/lib/compose-volumes.sh"
image=${MONGODB_IMAGE:-mongo:7.0}

case ${1:-} in
  --help | -h)
    usage
    exit 0
    ;;
  '' | -*) problem "which PROJECT? See --help" ;;
esac
[ $# -le 1 ] || problem "one PROJECT at a time; see --help"
stop_on_problems

docker version >/dev/null 2>&1 || problem "Docker does not answer: docker version"
stop_on_problems
pairs=$(docker volume ls --format '{{.Name}}' | earlier_volumes | grep "^$1_mongodb_\|^$1_qdrant_" || true)
[ -n "$pairs" ] || problem "there is no volume $1_mongodb_data, $1_mongodb_config or $1_qdrant_data: docker volume ls"
while read -r old new; do
  [ -n "$old" ] || continue
  users=$(docker ps --filter "volume=$old" --format '{{.Names}}' | tr '\n' ' ')
  [ -z "$users" ] || problem "$old is in use, and would change while it is copied: docker stop $users"
  if docker volume inspect "$new" >/dev/null 2>&1; then
    problem "$new exists already. If its data is not wanted: docker compose down && docker volume rm $new"
  fi
done <<<"$pairs"
stop_on_problems

while read -r old new; do
  echo "+ $old -> $new"
  # Compose takes over a volume that has its labels.
  docker volume create --label "com.docker.compose.project=$compose_project" --label "com.docker.compose.volume=${new#"${compose_project}_"}" \
    --label "$copied_label=$old" "$new" >/dev/null
  if ! docker run --rm --network none --user root --entrypoint cp --volume "$old:/from:ro" --volume "$new:/to" "$image" -a /from/. /to/ </dev/null; then
    docker volume rm "$new" >/dev/null
    echo "Stopped: $old could not be copied" >&2
    exit 1
  fi
done <<<"$pairs"
cat <<'NEXT'

The database keeps the login of its first start. The default in the earlier compose file was admin, admin123. Set it in .env,
and start:
  MONGODB_USERNAME=admin
  MONGODB_PASSWORD=admin123
  docker compose up --detach --wait
NEXT
