#!/usr/bin/env bash
# Sets up a credential helper for production's registry that gets a new token for each login: a token that Docker stores
# expires within the hour.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: login=$(scripts/log-in-at-registry.sh [--as ACCOUNT]) && eval "$login"
  --as ACCOUNT  log in as this service account, by impersonation (default: the account of the login)
The registry is the one in the region of the stack production; REGISTRY_HOST names another host.
Uses Google's application default credentials: gcloud auth application-default login. Writes a separate Docker configuration
that has only this login, and prints the lines that make a shell use it. In a workflow, the next steps use it.
USAGE
}

account=
host=${REGISTRY_HOST:-}
while [ $# -gt 0 ]; do
  case $1 in
    --as)
      if [ -z "${2:-}" ]; then
        usage >&2
        exit 2
      fi
      account=$2
      shift 2
      ;;
    --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
done

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/problems.sh
source "$root/scripts/lib/problems.sh"
if [ -z "$host" ]; then
  region=$(node "$root/scripts/print-settings.ts" production gcp:region)
  host=$region-docker.pkg.dev
fi

# One folder for each account: a second shell does not change the login of the first.
folder=${RUNNER_TEMP:-$HOME/.hyperion-registry}/login/${account:-own}
mkdir -p "$folder/bin"
helper=$folder/bin/docker-credential-hyperion-registry
# shellcheck disable=SC2016 # for the shell that runs it
printf '#!/usr/bin/env bash\nexec %q %q "$1" %q %q\n' \
  "$(node_program)" "$root/scripts/docker-credential.ts" "$host" "$account" >"$helper"
chmod +x "$helper"
# A separate configuration does not find the plugins (Compose, buildx) and the context of the user's own.
printf '{ "credHelpers": { "%s": "hyperion-registry" }, "cliPluginsExtraDirs": ["%s"] }\n' \
  "$host" "${DOCKER_CONFIG:-$HOME/.docker}/cli-plugins" >"$folder/config.json"
settings=(DOCKER_CONFIG="$folder")
if [ -z "${DOCKER_HOST:-}" ]; then
  engine=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)
  if [ -n "$engine" ]; then settings+=(DOCKER_HOST="$engine"); fi
fi

if [ -n "${GITHUB_PATH:-}" ]; then
  echo "$folder/bin" >>"$GITHUB_PATH"
  printf '%s\n' "${settings[@]}" >>"$GITHUB_ENV"
else
  printf 'export %q\n' "${settings[@]}"
  # shellcheck disable=SC2016 # for the shell that evaluates it
  printf 'export PATH=%q:"$PATH"\n' "$folder/bin"
fi
echo "Docker logs in at $host as ${account:-the account of the application default credentials}, and nowhere else" >&2
