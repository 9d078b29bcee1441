# shellcheck shell=bash
# Sourced by the scripts that a person calls: collects what is wrong and tells all of it before anything is begun.
problems=()

problem() { problems+=("$1"); }

stop_on_problems() {
  [ "${#problems[@]}" -eq 0 ] && return
  echo "Nothing was begun:" >&2
  printf '  - %s\n' "${problems[@]}" >&2
  exit 2
}
