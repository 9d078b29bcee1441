#!/usr/bin/env bash
# Says what of this machine keeps Hyperion's compose file from working, and the command that fixes each. It changes nothing.
# Runs on bash 3.2, which macOS has.
set -euo pipefail

usage() {
  cat <<'USAGE'
Looks at the folder of docker-compose.yml, its .env, this shell's variables, Docker's containers and volumes, and the
files in which clients keep how they call Hyperion. Finds what an earlier compose file left behind, and values that cannot
work. Changes nothing.

Usage: scripts/check-compose.sh [FOLDER]
  FOLDER   where docker-compose.yml and .env are (default: the folder above this script)

Exit code: 0 nothing found; 1 something was; 2 called wrongly.
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/problems.sh
source "$root/scripts/lib/problems.sh"
# shellcheck source=scripts/lib/compose-volumes.sh
source "$root/scripts/lib/compose-volumes.sh"

# found WHAT FIX: a problem, and the command that ends it.
found() { problem "$1"$'\n'"    fix: $2"; }

# value NAME: as Compose sees it: this shell's, else the last one in .env, without its quotes.
value() {
  local line=''
  if [ -n "${!1+set}" ]; then
    printf '%s' "${!1}"
    return
  fi
  [ ! -f .env ] || line=$(sed -n "s/^[[:space:]]*\(export[[:space:]][[:space:]]*\)\{0,1\}$1[[:space:]]*=[[:space:]]*//p" .env | tail -n 1)
  case $line in
    \"*) line=${line#\"} line=${line%%\"*} ;;
    \'*) line=${line#\'} line=${line%%\'*} ;;
    *) line=${line%%[[:space:]]#*} line=${line%"${line##*[![:space:]]}"} ;;
  esac
  printf '%s' "$line"
}

in_file() { [ -f .env ] && grep -Eq "^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=" .env; }

# drop NAME: the command that takes it away where it is set.
drop() { if in_file "$1"; then echo "sed -i.old '/^$1=/d' .env"; else echo "unset $1"; fi; }

# set_to NAME VALUE: the command that sets it where it is set, or else in .env.
set_to() {
  if in_file "$1"; then
    echo "sed -i.old 's|^$1=.*|$1=$2|' .env"
  elif [ -n "${!1+set}" ]; then
    echo "export $1=$2"
  else
    echo "echo $1=$2 >> .env"
  fi
}

check_names() {
  local pair old new
  for pair in WEB_PORT:HYPERION_UI_PORT MCP_PORT:HYPERION_MCP_PORT BRIDGE_PORT:HYPERION_BRIDGE_PORT \
    MONGO_ROOT_USERNAME:MONGODB_USERNAME MONGO_ROOT_PASSWORD:MONGODB_PASSWORD EMBEDDING_SERVICE_URL:TEI_URL; do
    old=${pair%%:*} new=${pair#*:}
    ! in_file "$old" || found "$old in .env is not read any more: it is called $new now" "sed -i.old 's/^$old=/$new=/' .env"
  done
  for old in MONGODB_PORT QDRANT_HTTP_PORT QDRANT_GRPC_PORT EMBEDDING_PORT; do
    ! in_file "$old" || found "$old in .env is not read any more: the services behind Hyperion have no port on this machine" "$(drop "$old")"
  done
}

# check_place SERVICE NAME: NAME says where the service runs.
check_place() {
  case $(value "$2") in
    '' | local | elsewhere) ;;
    *) found "$2=$(value "$2") is not a place where $1 can run: local (in a container here), or elsewhere" "$(set_to "$2" local)" ;;
  esac
}

# check_elsewhere SERVICE PLACE URL HOST: that the address and the place say the same.
check_elsewhere() {
  local url host plain
  url=$(value "$3") plain=$url
  while [ "$plain" != "${plain%/}" ]; do plain=${plain%/}; done
  case $3 in *_URL) [ "$url" = "$plain" ] || found "$3=$url ends in a slash, and Hyperion puts paths behind it" "$(set_to "$3" "$plain")" ;; esac
  host=${url#*://} host=${host##*@} host=${host%%[/:?,]*}
  if [ "$(value "$2")" = elsewhere ]; then
    if [ -z "$url" ] || [ "$host" = "$4" ]; then
      found "$2=elsewhere, and $3 does not say where" "$(set_to "$2" local)"
    fi
  elif [ -n "$url" ] && [ "$host" != "$4" ]; then
    found "$3 names $host, and the container of $4 here is started all the same" "$(set_to "$2" elsewhere)"
  fi
}

check_mongodb_login() {
  local uri login expected
  uri=$(value MONGODB_URI)
  case $uri in *//mongodb:* | *//mongodb/* | *//mongodb | *@mongodb:* | *@mongodb/* | *@mongodb) ;; *) return ;; esac
  expected=$(value MONGODB_USERNAME)
  [ -n "$expected" ] || expected=hyperion
  login=${uri#*://}
  case $login in *@*) login=${login%%@*} ;; *) login='' ;; esac
  if [ -z "$login" ]; then
    found "MONGODB_URI has no login, and the database takes one; without the line the address is put together rightly" "$(drop MONGODB_URI)"
  elif [ "${login%%:*}" != "$expected" ]; then
    found "MONGODB_URI logs in as ${login%%:*}, and the database's user is $expected (MONGODB_USERNAME)" "$(drop MONGODB_URI)"
  fi
}

check_embedding() {
  case $(value EMBEDDING) in
    '' | local) ;;
    openai)
      [ -n "$(value OPENAI_API_KEY)" ] ||
        found "EMBEDDING=openai needs OPENAI_API_KEY, and the MCP server ends without it" "$(set_to EMBEDDING local)"
      found "EMBEDDING=openai makes vectors of 1536 dimensions, and Hyperion's code index holds 768: code is not found" "$(set_to EMBEDDING local)"
      ;;
    *) found "EMBEDDING=$(value EMBEDDING) is none of local, openai" "$(set_to EMBEDDING local)" ;;
  esac
}

check_images() {
  local registry tag plain
  registry=$(value HYPERION_REGISTRY)
  plain=${registry#*://}
  while [ "$plain" != "${plain%/}" ]; do plain=${plain%/}; done
  [ "$registry" = "$plain" ] ||
    found "HYPERION_REGISTRY=$registry is no place of images: it has neither a scheme nor a slash at its end" "$(set_to HYPERION_REGISTRY "$plain")"
  tag=$(value HYPERION_TAG)
  case $tag in
    '') ;;
    *sha256:*) found "HYPERION_TAG=$tag is a digest, and each image has its own: a lock file pins them" "HYPERION_TAG=1.4.2 docker compose config --lock-image-digests > docker-compose.lock.yml" ;;
    [!A-Za-z0-9_]* | *[!A-Za-z0-9_.-]*) found "HYPERION_TAG=$tag is no tag: letters, digits, - _ and . make one (1.4.2, v1.4.2, 1, latest)" "$(set_to HYPERION_TAG latest)" ;;
  esac
}

check_override() {
  local file
  for file in docker-compose.override.yml docker-compose.override.yaml compose.override.yml compose.override.yaml; do
    [ -f "$file" ] || continue
    # A port without an address before it: "7778:7778".
    if grep -Eq "^[[:space:]]*-[[:space:]]*[\"']?[^.[:space:]]*:[0-9]+[\"']?[[:space:]]*(#.*)?\$" "$file"; then
      found "$file opens ports to every address of this machine, beside those of docker-compose.yml" "mv $file $file.old"
    fi
  done
}

check_docker() {
  local name project old new
  if ! docker version >/dev/null 2>&1; then
    found "Docker does not answer, so its containers and volumes were not looked at" "docker version"
    return
  fi
  for name in hyperion-mcp-server hyperion-http-bridge hyperion-ui; do
    project=$(docker ps --filter "name=^$name\$" --format '{{.Label "com.docker.compose.project"}}')
    [ -z "$project" ] ||
      found "the container $name of an earlier compose file runs, and has the ports" "docker compose --project-name $project down"
  done
  while read -r old new; do
    if ! is_copied "$new"; then
      found "the volume $old of an earlier compose file holds data, and $new has none of it" "scripts/copy-compose-volumes.sh ${old%_*_*}"
    fi
  done < <(earlier_volumes)
}

check_clients() {
  local file
  for file in .mcp.json .cursor/mcp.json .vscode/mcp.json "$HOME/.claude.json" "$HOME/.claude/settings.json" \
    "$HOME/.cursor/mcp.json" "$HOME/.codeium/windsurf/mcp_config.json" "$HOME/.config/Claude/claude_desktop_config.json" \
    "$HOME/Library/Application Support/Claude/claude_desktop_config.json"; do
    if [ -f "$file" ] && tr -d '\n' <"$file" | grep -Eq '"exec"[^]]*"hyperion-http-bridge"|exec -i[a-z]* hyperion-http-bridge'; then
      found "$file calls docker exec on hyperion-http-bridge, a container that has another name now; the MCP server speaks HTTP" \
        "in that file, in place of the command: \"type\": \"http\", \"url\": \"http://localhost:7778/mcp\""
    fi
  done
}

case ${1:-} in
  --help | -h)
    usage
    exit 0
    ;;
  -*)
    echo "unknown option $1; see --help" >&2
    exit 2
    ;;
esac
if [ $# -gt 1 ] || ! cd "${1:-$root}" 2>/dev/null; then
  echo "${1:-$root} is not a folder; see --help" >&2
  exit 2
fi

check_names
check_mongodb_login
check_place MongoDB HYPERION_MONGODB
check_place Qdrant HYPERION_QDRANT
check_place "the embedding service" HYPERION_EMBEDDING
check_elsewhere MongoDB HYPERION_MONGODB MONGODB_URI mongodb
check_elsewhere Qdrant HYPERION_QDRANT QDRANT_URL qdrant
check_elsewhere "the embedding service" HYPERION_EMBEDDING TEI_URL embedding-service
check_embedding
check_images
check_override
check_docker
check_clients

if [ "${#problems[@]}" -eq 0 ]; then
  echo "Nothing found: docker compose up --detach --wait"
  exit 0
fi
printf -- '- %s\n' "${problems[@]}"
exit 1
