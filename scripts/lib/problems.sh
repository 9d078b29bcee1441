# shellcheck shell=bash
# Sourced by the scripts that a person calls: collects what is wrong and tells all of it before anything is begun.
# shellcheck disable=SC2154 # root: the project's folder, which the script sets
problems=()

problem() { problems+=("$1"); }

stop_on_problems() {
  [ "${#problems[@]}" -eq 0 ] && return
  echo "Nothing was begun:" >&2
  printf '  - %s\n' "${problems[@]}" >&2
  exit 2
}

# node ARGUMENT...: the Node.js that npm ci brings, where it brings one; else that on the PATH.
node() {
  local own=$root/node_modules/.bin/node
  if [ -x "$own" ]; then "$own" "$@"; else command node "$@"; fi
}
