#!/usr/bin/env bash
# npm run pulumi -- ARGS: runs the verified Pulumi, and installs it first if it is missing. Runs on bash 3.2.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# eval "$(...)" would ignore a failure.
settings=$("$root/scripts/install-pulumi.sh")
eval "$settings"
exec pulumi "$@"
