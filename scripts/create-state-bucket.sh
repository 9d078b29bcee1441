#!/usr/bin/env bash
# Makes the place where a team keeps the stack's state: a bucket, and a key for the secrets in it.
# The stack cannot make it for itself, since its own state lies there. Runs on bash 3.2, which macOS has.
set -euo pipefail

usage() {
  cat <<'USAGE'
Makes what a team needs to share the stack's state, as far as it does not exist yet:
  - a Cloud Storage bucket: versioned, uniform access, never public
  - a Cloud KMS key that encrypts the secrets in the state, with a new version every 90 days
  - grants on these two alone: the CI account may write the state and use the key, the preview
    account may read and decrypt; accounts that do not exist yet are left out and told
Run it again at any time: what is there already is not touched. At the end it prints what to do next.

Usage: scripts/create-state-bucket.sh [OPTION]...
  --project ID             Google Cloud project (default: production's)
  --location REGION        of the bucket and the key (default: production's)
  --bucket NAME            default: PROJECT-pulumi-state
  --key-ring NAME          default: hyperion-registry
  --key NAME               default: pulumi-state
  --ci-account EMAIL       default: the account that the stack makes for CI
  --preview-account EMAIL  default: the account that the stack makes for previews
  --help                   print this

Exit code: 0 all there; 1 something failed (run it again); 2 nothing was begun.
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/problems.sh
source "$root/scripts/lib/problems.sh"
project='' location='' bucket='' key_ring=hyperion-registry key=pulumi-state ci_account='' preview_account=''
missing_accounts=()

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h)
        usage
        exit 0
        ;;
      --project | --location | --bucket | --key-ring | --key | --ci-account | --preview-account)
        if [ $# -lt 2 ] || [ -z "$2" ]; then
          problem "$1 takes a value; see --help"
          return
        fi
        case $1 in
          --project) project=$2 ;;
          --location) location=$2 ;;
          --bucket) bucket=${2#gs://} ;;
          --key-ring) key_ring=$2 ;;
          --key) key=$2 ;;
          --ci-account) ci_account=$2 ;;
          --preview-account) preview_account=$2 ;;
        esac
        shift
        ;;
      *) problem "unknown option $1; see --help" ;;
    esac
    shift
  done
}

read_defaults() {
  local output account default_project default_location
  if ! output=$(cd "$root" && node scripts/print-settings.ts production \
    gcp:project gcp:region ciServiceAccountId 2>&1); then
    problem "production's settings cannot be read (are this project's packages installed? npm ci): $(tail -n 1 <<<"$output")"
    return
  fi
  {
    read -r default_project
    read -r default_location
    read -r account
  } <<<"$output"
  project=${project:-$default_project}
  location=${location:-$default_location}
  bucket=${bucket:-$project-pulumi-state}
  ci_account=${ci_account:-$account@$project.iam.gserviceaccount.com}
  preview_account=${preview_account:-$account-preview@$project.iam.gserviceaccount.com}
}

check_values() {
  local name
  [[ $bucket =~ ^[a-z0-9][a-z0-9_.-]{1,61}[a-z0-9]$ ]] ||
    problem "--bucket $bucket must be 3 to 63 lower-case letters, digits, - and _, beginning and ending with a letter or digit"
  for name in "$key_ring" "$key"; do
    [[ $name =~ ^[A-Za-z0-9_-]{1,63}$ ]] ||
      problem "the name $name of a key or key ring must be 1 to 63 letters, digits, - and _"
  done
  for name in "$ci_account" "$preview_account"; do
    [[ $name =~ ^[a-z0-9-]+@[a-z0-9.-]+$ ]] || problem "$name must be the e-mail address of a service account"
  done
}

check_gcloud() {
  if ! command -v gcloud >/dev/null; then
    problem "gcloud is not installed: https://cloud.google.com/sdk/docs/install"
  elif [ -z "$(gcloud auth list --filter=status:ACTIVE --format='value(account)' 2>/dev/null)" ]; then
    problem "not logged in at Google: gcloud auth login"
  fi
}

# exists COMMAND...: whether gcloud finds a thing; any other error than its absence ends the script.
exists() {
  local answer
  answer=$(gcloud "$@" --project "$project" 2>&1) && return
  case $answer in *NOT_FOUND* | *"not found"* | *"does not exist"* | *"Unknown service account"*) return 1 ;; esac
  printf '%s\n' "$answer" >&2
  echo "Stopped: gcloud could not tell whether this exists: gcloud $*" >&2
  exit 1
}

# make WHAT COMMAND...: says what is made, and makes it.
make() {
  echo "+ $1"
  shift
  gcloud "$@" --project "$project" --quiet >/dev/null
}

have() { echo "= $1"; }

ensure_services() {
  local enabled service missing=()
  enabled=$(gcloud services list --enabled --format='value(config.name)' --project "$project")
  for service in storage.googleapis.com cloudkms.googleapis.com; do
    if grep -qx "$service" <<<"$enabled"; then have "API $service"; else missing+=("$service"); fi
  done
  [ "${#missing[@]}" -eq 0 ] || make "API ${missing[*]}" services enable "${missing[@]}"
}

ensure_bucket() {
  local url=gs://$bucket settings versioning uniform prevention
  if ! exists storage buckets describe "$url"; then
    make "bucket $url" storage buckets create "$url" --location "$location" \
      --uniform-bucket-level-access --public-access-prevention
  else
    have "bucket $url"
  fi
  settings=$(gcloud storage buckets describe "$url" --project "$project" \
    --format='csv[no-heading](versioning_enabled,uniform_bucket_level_access,public_access_prevention)')
  IFS=, read -r versioning uniform prevention <<<"$settings"
  if [ "$versioning" = True ]; then have "its versions are kept"; else
    make "its versions are kept" storage buckets update "$url" --versioning
  fi
  if [ "$uniform" = True ]; then have "its access is uniform"; else
    make "its access is uniform" storage buckets update "$url" --uniform-bucket-level-access
  fi
  if [ "$prevention" = enforced ]; then have "it can never be public"; else
    make "it can never be public" storage buckets update "$url" --public-access-prevention
  fi
}

ensure_key() {
  if exists kms keyrings describe "$key_ring" --location "$location"; then have "key ring $key_ring"; else
    make "key ring $key_ring" kms keyrings create "$key_ring" --location "$location"
  fi
  if exists kms keys describe "$key" --keyring "$key_ring" --location "$location"; then have "key $key"; else
    make "key $key" kms keys create "$key" --keyring "$key_ring" --location "$location" \
      --purpose encryption --rotation-period 90d --next-rotation-time p90d
  fi
}

# grant ACCOUNT ROLE WHAT COMMAND...: COMMAND reads the policy of the resource.
grant() {
  local member=serviceAccount:$1 role=$2 what=$3 held
  shift 3
  # Searched here: `storage` knows no --filter. What has a condition is another binding.
  held=$(gcloud "$@" --project "$project" --flatten='bindings[].members' \
    --format='csv[no-heading](bindings.role,bindings.members,bindings.condition.expression)')
  if grep -qxF "$role,$member," <<<"$held"; then have "$member: $role on $what"; else
    # Without --condition, gcloud asks where the policy has one already.
    make "$member: $role on $what" "${@/get-iam-policy/add-iam-policy-binding}" \
      --member "$member" --role "$role" --condition None
  fi
}

grant_account() {
  local account=$1 bucket_role=$2 key_role=$3
  if ! exists iam service-accounts describe "$account"; then
    missing_accounts+=("$account")
    echo "- $account does not exist yet: nothing granted"
    return
  fi
  grant "$account" "$bucket_role" "gs://$bucket" storage buckets get-iam-policy "gs://$bucket"
  grant "$account" "$key_role" "the key $key" \
    kms keys get-iam-policy "$key" --keyring "$key_ring" --location "$location"
}

print_next() {
  local provider=gcpkms://projects/$project/locations/$location/keyRings/$key_ring/cryptoKeys/$key
  cat <<NEXT

Log in to the state, here and on every maintainer's machine:
  pulumi login gs://$bucket
A stack that does not exist yet:
  pulumi stack init production --secrets-provider=$provider
A stack that does, in this state already, with a passphrase until now:
  pulumi stack change-secrets-provider --stack production "$provider"
For the workflows, as a variable of the GitHub repository:
  gh variable set PULUMI_BACKEND_URL --body gs://$bucket
NEXT
  [ "${#missing_accounts[@]}" -eq 0 ] && return
  echo
  echo "Run this again when pulumi up has made: ${missing_accounts[*]}"
}

read_options "$@"
read_defaults
check_gcloud
[ "${#problems[@]}" -gt 0 ] || check_values
stop_on_problems
ensure_services
ensure_bucket
ensure_key
grant_account "$ci_account" roles/storage.objectUser roles/cloudkms.cryptoKeyEncrypterDecrypter
grant_account "$preview_account" roles/storage.objectViewer roles/cloudkms.cryptoKeyDecrypter
print_next
