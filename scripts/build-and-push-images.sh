#!/usr/bin/env bash
# Builds and pushes Hyperion's images without the stack: for contributors who have Docker and a login
# at the registry, and no access to the stack's state. Runs on bash 3.2, which macOS has; the work is in
# scripts/images/.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/problems.sh
source "$root/scripts/lib/problems.sh"

need_node "it reads images.json and the tag rules"
stop_on_problems
# In the place of this shell, so that an interrupt reaches it.
exec "$(node_program)" "$root/scripts/images/main.ts" "$@"
