# shellcheck shell=bash
# Sourced by the scripts for people: collects problems and reports all of them before the script starts.
# shellcheck disable=SC2154 # the script sets root, the project's folder
problems=()

problem() { problems+=("$1"); }

stop_on_problems() {
  [ "${#problems[@]}" -eq 0 ] && return
  echo "Nothing was started:" >&2
  printf '  - %s\n' "${problems[@]}" >&2
  exit 2
}

# node_program: prints the Node.js of npm ci, or else the one on the PATH.
node_program() {
  local own=$root/node_modules/.bin/node
  if [ -x "$own" ]; then echo "$own"; else type -P node; fi
}

node() { "$(node_program)" "$@"; }

# need_node WHY: adds a problem if this project's TypeScript cannot run.
need_node() {
  local program version least
  # ">=22.18" in package.json.
  least=$(sed -n 's/^ *"node": *">=\([0-9.]*\)".*/\1/p' "$root/package.json")
  if ! program=$(node_program); then
    problem "Node.js is not installed; $1: install Node.js $least or later"
    return
  fi
  version=$("$program" --version)
  if ! at_least "${version#v}" "$least"; then
    problem "$program is Node.js ${version#v}; $1: install Node.js $least or later, or (cd $root && npm ci)"
  elif [ ! -d "$root/node_modules/zod" ]; then
    problem "this project's packages are not installed: (cd $root && npm ci)"
  fi
}

# at_least VERSION LEAST: compares the first two numbers.
at_least() {
  local major minor least_major least_minor
  IFS=. read -r major minor _ <<<"$1"
  IFS=. read -r least_major least_minor _ <<<"$2"
  [ "$major" -gt "$least_major" ] || { [ "$major" -eq "$least_major" ] && [ "$minor" -ge "${least_minor:-0}" ]; }
}
