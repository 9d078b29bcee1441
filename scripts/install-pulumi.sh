#!/usr/bin/env bash
# Installs the Pulumi CLI of .pulumi.version after it verifies that Pulumi's release workflow signed it, and the plugins of
# package.json after it compares their checksums with .pulumi.plugins. Needs curl, tar, cosign, and sha256sum or shasum. Runs
# on bash 3.2 (macOS).
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/install-pulumi.sh [OPTION]...
npm run pulumi -- ARGS calls this script.
  --from URL          download the CLI from a mirror; the script verifies it too (default: GitHub)
  --plugins-from URL  download the plugins from a mirror; the script verifies them too (default: Pulumi's default)
Installs into PULUMI_HOME or ~/.hyperion-registry, apart from other projects. Prints the lines that make a shell use it. In a
workflow, the next steps use it. If .pulumi.plugins lacks the version of a plugin, the script compares the files of two servers
and records their checksums; in a workflow, it fails instead.
If HYPERION_PULUMI names a CLI, as in the sandbox, the script uses that one and installs nothing.
Exit code: 0 installed; 1 a download or a verification failed; 2 wrong usage.
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
releases=https://github.com/pulumi/pulumi/releases/download
plugin_files=https://get.pulumi.com/releases/plugins
plugins_from=()
installed=
# The signer: a workflow of Pulumi's repository, with a certificate for its GitHub token.
identity='^https://github\.com/pulumi/pulumi/\.github/workflows/sign\.yml@refs/'
issuer=https://token.actions.githubusercontent.com
# Leaves out the other programs of the archive, such as the plugin that runs programs from a state.
needed=(pulumi pulumi-language-nodejs)
plugins=(gcp docker)

while [ $# -gt 0 ]; do
  case $1 in
    --from | --plugins-from)
      if [ $# -lt 2 ]; then
        usage >&2
        exit 2
      fi
      if [ "$1" = --from ]; then releases=$2; else plugins_from=(--server "$2"); fi
      shift
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
  shift
done

fail() {
  echo "Pulumi was not installed: $1" >&2
  exit 1
}

# download URL FILE
download() {
  curl --fail --silent --show-error --location --proto '=https' --retry 3 --output "$2" "$1" ||
    fail "$1 could not be downloaded"
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum "$@"; else shasum -a 256 "$@"; fi; }

# plugin_version NAME: the version in package.json.
plugin_version() { sed -n "s|^ *\"@pulumi/$1\": \"\([0-9.]*\)\".*|\1|p" "$root/package.json"; }

# record NAME VERSION: records the checksums of a plugin for each platform if two servers give the same files.
record() {
  local platform file sum
  grep -v "^$1 " "$root/.pulumi.plugins" >recorded || :
  for platform in linux-amd64 linux-arm64 darwin-amd64 darwin-arm64; do
    file=pulumi-resource-$1-v$2-$platform.tar.gz
    download "$plugin_files/$file" one
    download "https://github.com/pulumi/pulumi-$1/releases/download/v$2/$file" other
    cmp -s one other || fail "$file is not the same at get.pulumi.com and at github.com"
    sum=$(sha256 one)
    echo "$1 $2 $platform ${sum%% *}" >>recorded
  done
  mv recorded "$root/.pulumi.plugins"
  echo "Recorded the plugin $1 $2 in .pulumi.plugins: get.pulumi.com and github.com gave the same files. Commit it." >&2
}

install_cli() {
  local archive=pulumi-v$version-$1.tar.gz checksums=pulumi-$version-checksums.txt program
  command -v cosign >/dev/null || fail "cosign is not on the PATH: https://docs.sigstore.dev/cosign/system_config/installation"
  download "$releases/v$version/$checksums" "$checksums"
  download "$releases/v$version/$checksums.sig" "$checksums.sig"
  cosign verify-blob --bundle "$checksums.sig" --certificate-identity-regexp "$identity" \
    --certificate-oidc-issuer "$issuer" "$checksums" >&2 ||
    fail "$checksums is not signed by Pulumi's release workflow"

  download "$releases/v$version/$archive" "$archive"
  # Only the line for this archive. Without one, the check fails.
  awk -v name="$archive" '$2 == name' "$checksums" | sha256 --check --strict --quiet - >&2 ||
    fail "$archive does not match the signed $checksums; do not use it"

  tar -xzf "$archive"
  mkdir bin
  for program in "${needed[@]}"; do mv "pulumi/$program" bin/; done
  mkdir -p "$(dirname "$bin")"
  mv bin "$bin"
  installed=yes
}

# checksum "NAME VERSION PLATFORM"
checksum() { awk -v line="$1" '$1 " " $2 " " $3 == line { print $4 }' "$root/.pulumi.plugins"; }

install_plugins() {
  local name of sum known folder
  for name in "${plugins[@]}"; do
    of=$(plugin_version "$name")
    known+=" resource-$name-v$of "
    sum=$(checksum "$name $of $1")
    if [ -z "$sum" ]; then
      [ -z "${GITHUB_PATH:-}" ] ||
        fail ".pulumi.plugins has no checksum of the plugin $name $of for $1: run scripts/install-pulumi.sh on your machine, and commit the file"
      record "$name" "$of"
      sum=$(checksum "$name $of $1")
    fi
    [ -e "$home/plugins/resource-$name-v$of" ] && continue
    PULUMI_HOME=$home "$bin/pulumi" plugin install resource "$name" "$of" --exact --checksum "$sum" \
      ${plugins_from[@]+"${plugins_from[@]}"} >&2 || fail "the plugin $name $of could not be downloaded, or differs from .pulumi.plugins"
    installed=yes
  done
  for folder in "$home"/plugins/resource-*; do
    case $known in *" ${folder##*/} "*) continue ;; esac
    case $folder in *.lock | *.partial) continue ;; esac
    fail "$folder is a plugin that this project does not use, but that a state could name: rm -r '$folder'"
  done
}

protection=(PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true PULUMI_IGNORE_AMBIENT_PLUGINS=true)

# use SETTING...: makes a shell, or the next steps of a workflow, run the CLI in $bin with these settings.
use() {
  if [ -n "${GITHUB_PATH:-}" ]; then
    echo "$bin" >>"$GITHUB_PATH"
    printf '%s\n' "$@" >>"$GITHUB_ENV"
  else
    printf 'export %q\n' "$@"
    # shellcheck disable=SC2016 # for the shell that evaluates it
    printf 'export PATH=%q:"$PATH"\n' "$bin"
  fi
}

if [ -n "${HYPERION_PULUMI:-}" ]; then
  bin=$(dirname "$HYPERION_PULUMI")
  use "${protection[@]}"
  exit
fi
version=$(<"$root/.pulumi.version")
home=${PULUMI_HOME:-$HOME/.hyperion-registry}
bin=$home/versions/$version/bin
case $(uname -sm) in
  'Linux x86_64') system=linux architecture=x64 ;;
  'Linux aarch64') system=linux architecture=arm64 ;;
  'Darwin x86_64') system=darwin architecture=x64 ;;
  'Darwin arm64') system=darwin architecture=arm64 ;;
  *) fail "there is no release for $(uname -sm) here; allowed are Linux and macOS on x86_64 and ARM" ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
[ -x "$bin/pulumi" ] || install_cli "$system-$architecture"
install_plugins "$system-${architecture/x64/amd64}"
[ -z "$installed" ] || echo "Pulumi $version and its plugins, verified, are in $home" >&2

use "PULUMI_HOME=$home" "${protection[@]}"
