#!/usr/bin/env bash
# Runs the verified Pulumi, installed first where it is not there yet: npm run pulumi -- ARGS. Runs on bash 3.2.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Not within eval: a failure would be lost.
settings=$("$root/scripts/install-pulumi.sh")
eval "$settings"
exec pulumi "$@"
