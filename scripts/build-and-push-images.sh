#!/usr/bin/env bash
# Builds and pushes Hyperion's images without the stack: for contributors with Docker and a login at the registry, but without
# access to the stack's state. Runs scripts/images/. Runs on bash 3.2 (macOS).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/problems.sh
source "$root/scripts/lib/problems.sh"

need_node "it reads images.json and the tag rules"
stop_on_problems
# Replaces this shell, so that an interrupt reaches it.
exec "$(node_program)" "$root/scripts/images/main.ts" "$@"
