#!/usr/bin/env bash
# Installs the Pulumi CLI for jobs that hold credentials: the version of .pulumi.version, once it is proven that
# Pulumi's own release workflow made it. Takes curl, tar, sha256sum and cosign.
set -euo pipefail

usage() {
  cat <<'USAGE'
Usage: scripts/install-pulumi.sh [--from URL]
  --from URL  take the release from a mirror; it is verified all the same (default: Pulumi's releases at GitHub)
Installs into PULUMI_HOME or ~/.pulumi, below versions/VERSION/bin, and puts that on a workflow's PATH.
Exit code: 0 installed; 1 not verified or not to be had, and nothing is installed; 2 the call is wrong.
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
releases=https://github.com/pulumi/pulumi/releases/download
# Who signs: a workflow of Pulumi's repository, by the certificate that GitHub's token gave it.
identity='^https://github\.com/pulumi/pulumi/\.github/workflows/sign\.yml@refs/'
issuer=https://token.actions.githubusercontent.com

case ${1:-} in
  '') ;;
  --from)
    if [ $# -ne 2 ]; then
      usage >&2
      exit 2
    fi
    releases=$2
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

fail() {
  echo "Pulumi was not installed: $1" >&2
  exit 1
}

# download FILE: one file of the release into the working folder.
download() {
  curl --fail --silent --show-error --location --proto '=https' --retry 3 --output "$1" "$releases/v$version/$1" ||
    fail "$releases/v$version/$1 could not be downloaded"
}

version=$(<"$root/.pulumi.version")
case $(uname -sm) in
  'Linux x86_64') platform=linux-x64 ;;
  'Linux aarch64') platform=linux-arm64 ;;
  *) fail "there is no release for $(uname -sm) here; allowed are Linux on x86_64 and aarch64" ;;
esac
command -v cosign >/dev/null || fail "cosign is not on the PATH: https://docs.sigstore.dev/cosign/system_config/installation"

archive=pulumi-v$version-$platform.tar.gz
checksums=pulumi-$version-checksums.txt
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

download "$checksums"
download "$checksums.sig"
cosign verify-blob --bundle "$checksums.sig" --certificate-identity-regexp "$identity" \
  --certificate-oidc-issuer "$issuer" "$checksums" ||
  fail "$checksums is not signed by Pulumi's release workflow"

download "$archive"
# A line that names the archive exactly; none is a failure of sha256sum.
awk -v name="$archive" '$2 == name' "$checksums" | sha256sum --check --strict --quiet - ||
  fail "$archive is not what the signed $checksums says; do not use it"

tar --extract --gzip --file "$archive"
folder=${PULUMI_HOME:-$HOME/.pulumi}/versions/$version
mkdir -p "$folder"
rm -rf "${folder:?}/bin"
mv pulumi "$folder/bin"
if [ -n "${GITHUB_PATH:-}" ]; then echo "$folder/bin" >>"$GITHUB_PATH"; fi
echo "Pulumi $version, verified, is in $folder/bin"
