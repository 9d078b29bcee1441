#!/usr/bin/env bash
# Makes the registry public or private through the stack, so that its state stays correct. Runs on bash 3.2 (macOS).
set -euo pipefail

usage() {
  cat <<'USAGE'
Lets everyone pull from the registry without a login: checks the login, sets hyperion-registry:publicAccess, shows the
preview, asks, runs pulumi up, and tries a pull without a login. The stack checks the organization policy before it changes
anything.

Usage: scripts/create-public-registry.sh [OPTION]...
  --override-policy  lift the organization policy that refuses allUsers, only for this project
                     (hyperion-registry:overrideDomainRestrictedSharing); needs the role
                     Organization Policy Administrator
  --revert           make the registry private again; removes that exception too
  --wait SECONDS     how long to wait until the changed policy has spread (default: 300)
  --stack NAME       the stack (default: production)
  --yes              apply without asking
  --help             print this

If the preview fails, the answer is no or you press Ctrl-C before the answer, the script restores the settings and changes
nothing.
Exit code: 0 done; 1 failed or declined; 2 nothing was started.
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/problems.sh
source "$root/scripts/lib/problems.sh"
public=hyperion-registry:publicAccess
override=hyperion-registry:overrideDomainRestrictedSharing
stack=production
patience=300
want_override=false
revert=false
yes=false
left=''

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h)
        usage
        exit 0
        ;;
      --override-policy) want_override=true ;;
      --revert) revert=true ;;
      --yes | -y) yes=true ;;
      --stack | --wait)
        if [ $# -lt 2 ]; then
          problem "$1 takes a value; see --help"
          return
        fi
        if [ "$1" = --stack ]; then stack=$2; else patience=$2; fi
        shift
        ;;
      *) problem "unknown option $1; see --help" ;;
    esac
    shift
  done
  case $patience in
    '' | *[!0-9]*) problem "--wait takes a number of seconds, not '$patience'" ;;
  esac
  if $revert && $want_override; then
    problem "--revert removes the exception from the policy, so it does not go with --override-policy"
  fi
}

check_pulumi() {
  local answer settings
  if ! settings=$("$root/scripts/install-pulumi.sh"); then
    problem "the verified Pulumi cannot be installed, for the reason above"
    return
  fi
  eval "$settings"
  if ! answer=$(pulumi whoami --non-interactive 2>&1); then
    problem "not logged in to the stack's state: npm run pulumi -- login gs://BUCKET (pulumi says: $(tail -n 1 <<<"$answer"))"
  fi
}

# The gcp plugin reads its login from one of these.
check_google() {
  local variable
  for variable in GOOGLE_OAUTH_ACCESS_TOKEN GOOGLE_CREDENTIALS GOOGLE_CLOUD_KEYFILE_JSON GCLOUD_KEYFILE_JSON \
    GOOGLE_APPLICATION_CREDENTIALS; do
    [ -n "${!variable:-}" ] && return
  done
  if ! command -v gcloud >/dev/null; then
    [ -f "${CLOUDSDK_CONFIG:-$HOME/.config/gcloud}/application_default_credentials.json" ] && return
    problem "gcloud is not installed, and there is no other login at Google: https://cloud.google.com/sdk/docs/install"
  elif ! CLOUDSDK_CORE_DISABLE_FILE_LOGGING=true gcloud auth application-default print-access-token >/dev/null 2>&1; then # without a log of the token
    problem "not logged in at Google, or the login has expired: gcloud auth application-default login"
  fi
}

ensure_stack() {
  local answer
  answer=$(pulumi stack --show-name --stack "$stack" --non-interactive 2>&1) && return
  case $answer in
    *"no stack named"*) ;;
    *)
      problem "the stack $stack cannot be read: $(tail -n 1 <<<"$answer")"
      return
      ;;
  esac
  if $revert; then
    problem "there is no stack $stack in this state, so nothing is public: npm run pulumi -- stack ls"
  elif [ ! -f "Pulumi.$stack.yaml" ]; then
    problem "there is no stack $stack, and no Pulumi.$stack.yaml to make it from: --stack NAME"
  else
    echo "There is no stack $stack in this state yet; making an empty one."
    if pulumi stack init "$stack" --no-select; then
      left="The new stack $stack stays, empty: npm run pulumi -- stack rm $stack"
    else
      problem "the stack $stack could not be made, for the reason above"
    fi
  fi
}

setting() { pulumi config get "$1" --stack "$stack" --non-interactive; }
set_setting() { pulumi config set "$1" "$2" --type bool --stack "$stack" --non-interactive; }
unset_setting() { pulumi config rm "$1" --stack "$stack" --non-interactive; }

# The commands that restore the settings, in order.
undo=()

# change KEY VALUE: sets a toggle, unless it has the value, and adds the command that restores it.
change() {
  local before
  before=$(setting "$1")
  [ "$before" = "$2" ] && return
  # `config get` prints the default too: only the file shows whether the value is set.
  if [ "$before" = true ] || grep -qs "^ *$1:" "Pulumi.$stack.yaml"; then
    undo+=("set_setting $1 $before")
  else
    undo+=("unset_setting $1")
  fi
  set_setting "$1" "$2"
}

put_back() {
  local command
  # In a trap, a plain `return` has the status of the exit.
  [ "${#undo[@]}" -eq 0 ] && return 0
  # An interrupt must not stop this.
  trap '' INT TERM
  for command in "${undo[@]}"; do
    $command || echo "Could not restore a setting; check them: npm run pulumi -- config --stack $stack" >&2
  done
  undo=()
  echo "The settings are as they were; nothing was changed.${left:+ $left}" >&2
}

# The registry counts as public until a pull without a login is refused.
finish() {
  put_back
  if $still_public; then echo "still public: $next" >&2; fi
}

confirm() {
  local answer
  $yes && return
  printf '\n%s [y/N] ' "$1"
  read -r answer || answer=
  case $answer in [yY] | [yY][eE][sS]) ;; *) return 1 ;; esac
}

read_options "$@"
cd "$root"
check_pulumi
check_google
need_node "it asks the registry what a pull without a login gets"
stop_on_problems
ensure_stack
stop_on_problems
options=(--suppress-outputs --stack "$stack")

again=$0
if [ "$stack" != production ]; then again+=" --stack $stack"; fi
if $revert; then again+=" --revert"; fi
next="run it again: $again"
still_public=$revert

trap finish EXIT
trap 'exit 130' INT TERM
if $revert; then
  change "$public" false
  change "$override" false
  question="Make the registry private? Pulls without a login are then refused."
else
  change "$public" true
  if $want_override; then change "$override" true; fi
  question="Make the registry public? Everyone can then pull all of its images, at your cost."
fi

if ! pulumi preview "${options[@]}"; then
  echo >&2
  echo "The preview failed." >&2
  if ! $revert && ! $want_override && [ "$(setting "$override")" != true ]; then
    echo "If the organization policy is the reason: $0 --override-policy" >&2
  fi
  exit 1
fi
if ! confirm "$question"; then exit 1; fi

# From here on the settings stay, even if it takes a second run to apply them.
undo=()
trap - INT TERM
if ! pulumi up "${options[@]}" --yes --skip-preview; then
  echo >&2
  echo "Not everything was applied. The settings stay." >&2
  next="run it again when it is fixed, or a changed policy has spread (minutes): $again"
  if ! $revert; then printf '%s\n' "To go back: $again --revert" "$next" >&2; fi
  exit 1
fi

registry=$(pulumi stack output registryUrl --stack "$stack" --non-interactive)
# Another binding is not removed by waiting.
if $revert && [ "$(pulumi stack output publicAccess --stack "$stack" --non-interactive)" = true ]; then patience=0; fi
wanted=open
if $revert; then wanted=closed; fi
echo
if ! node "$root/scripts/anonymous-pull.ts" "$registry" "$wanted" "$patience"; then
  if $revert; then
    echo "If pulumi up warns of a binding that the stack did not make, run the command in the warning." >&2
  else
    echo "$next" >&2
  fi
  exit 1
fi
still_public=false
