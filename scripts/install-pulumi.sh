#!/usr/bin/env bash
# Installs what Pulumi runs here, and nothing else: the CLI of .pulumi.version, once it is proven that Pulumi's own release
# workflow made it, and the plugins of package.json, each as .pulumi.plugins has its checksum. Takes curl, tar, cosign and
# sha256sum or shasum. Runs on bash 3.2, which macOS has.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/install-pulumi.sh [OPTION]...
npm run pulumi -- ARGS runs it by itself.
  --from URL          take the CLI's release from a mirror; it is verified all the same (default: GitHub)
  --plugins-from URL  take the plugins from a mirror; they are verified all the same (default: Pulumi's own choice)
Installs into PULUMI_HOME or ~/.hyperion-registry, a folder of its own: what another project has installed is not found
there. Prints the lines that make a shell use it; a workflow's next steps use it by themselves. A plugin whose version
.pulumi.plugins lacks is recorded there, once two servers have given the same files; a workflow stops instead.
Where HYPERION_PULUMI names a CLI, as in the sandbox, that one is used, and nothing is installed.
Exit code: 0 installed; 1 something is not verified or not to be had, and is not installed; 2 the call is wrong.
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
releases=https://github.com/pulumi/pulumi/releases/download
plugin_files=https://get.pulumi.com/releases/plugins
plugins_from=()
installed=
# Who signs: a workflow of Pulumi's repository, by the certificate that GitHub's token gave it.
identity='^https://github\.com/pulumi/pulumi/\.github/workflows/sign\.yml@refs/'
issuer=https://token.actions.githubusercontent.com
# The CLI comes with more, such as the plugin that runs programs which a state carries in it: they are left out.
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

# plugin_version NAME: as package.json pins it.
plugin_version() { sed -n "s|^ *\"@pulumi/$1\": \"\([0-9.]*\)\".*|\1|p" "$root/package.json"; }

# record NAME VERSION: notes the checksums of a plugin for each platform, once two servers have given the same files.
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
  # A line that names the archive exactly; none is a failure of the check.
  awk -v name="$archive" '$2 == name' "$checksums" | sha256 --check --strict --quiet - >&2 ||
    fail "$archive is not what the signed $checksums says; do not use it"

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
    [ -e "$home/plugins/resource-$name-v$of" ] && continue
    sum=$(checksum "$name $of $1")
    if [ -z "$sum" ]; then
      [ -z "${GITHUB_PATH:-}" ] ||
        fail ".pulumi.plugins has no checksum of the plugin $name $of for $1: run scripts/install-pulumi.sh on your machine, and commit the file"
      record "$name" "$of"
      sum=$(checksum "$name $of $1")
    fi
    PULUMI_HOME=$home "$bin/pulumi" plugin install resource "$name" "$of" --exact --checksum "$sum" \
      ${plugins_from[@]+"${plugins_from[@]}"} >&2 || fail "the plugin $name $of is not to be had, or not what .pulumi.plugins says"
    installed=yes
  done
  for folder in "$home"/plugins/resource-*; do
    case $known in *" ${folder##*/} "*) continue ;; esac
    case $folder in *.lock | *.partial) continue ;; esac
    fail "$folder is a plugin that this project does not use, and that a state could name: rm -r '$folder'"
  done
}

protection=(PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true PULUMI_IGNORE_AMBIENT_PLUGINS=true)

# use SETTING...: what a shell evaluates, or what a workflow's next steps have, to run the CLI in $bin.
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
