#!/usr/bin/env bash
# Makes the places where a team keeps the states of its stacks: for the infrastructure and for the images a bucket each,
# and a key each for the secrets in it. A stack cannot make them for itself, since its own state lies there. Runs on
# bash 3.2, which macOS has.
set -euo pipefail

usage() {
  cat <<'USAGE'
Makes what a team needs to share the states of its stacks, as far as it does not exist yet. For the infrastructure, and
once more for the images, which CI publishes:
  - a Cloud Storage bucket: versioned, uniform access, never public
  - a Cloud KMS key that encrypts the secrets in the state, with a new version every 90 days
  - grants on these alone: the CI account may write the images' state and use its key, and has no right at all on the
    infrastructure's; the preview account may read and decrypt both; accounts that do not exist yet are left out and told
Run it again at any time: what is there already is not touched. At the end it prints what to do next.

Usage: scripts/create-state-bucket.sh [OPTION]...
  --project ID             Google Cloud project (default: production's)
  --location REGION        of the buckets and the keys (default: production's)
  --bucket NAME            for the infrastructure (default: PROJECT-pulumi-state)
  --images-bucket NAME     for the images (default: BUCKET-images)
  --key-ring NAME          default: hyperion-registry
  --key NAME               for the infrastructure (default: pulumi-state)
  --images-key NAME        for the images (default: KEY-images)
  --ci-account EMAIL       default: the account that the stack makes for CI
  --preview-account EMAIL  default: the account that the stack makes for previews
  --help                   print this

Exit code: 0 all there; 1 something failed (run it again); 2 nothing was begun.
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/problems.sh
source "$root/scripts/lib/problems.sh"
project='' location='' bucket='' images_bucket='' key_ring=hyperion-registry key=pulumi-state images_key=''
ci_account='' preview_account=''
missing_accounts=()
# Commands that take back what the CI account holds on the infrastructure's state.
excess=()

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h)
        usage
        exit 0
        ;;
      --project | --location | --bucket | --images-bucket | --key-ring | --key | --images-key | --ci-account | --preview-account)
        if [ $# -lt 2 ] || [ -z "$2" ]; then
          problem "$1 takes a value; see --help"
          return
        fi
        case $1 in
          --project) project=$2 ;;
          --location) location=$2 ;;
          --bucket) bucket=${2#gs://} ;;
          --images-bucket) images_bucket=${2#gs://} ;;
          --key-ring) key_ring=$2 ;;
          --key) key=$2 ;;
          --images-key) images_key=$2 ;;
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
  images_bucket=${images_bucket:-$bucket-images}
  images_key=${images_key:-$key-images}
  ci_account=${ci_account:-$account@$project.iam.gserviceaccount.com}
  preview_account=${preview_account:-$account-preview@$project.iam.gserviceaccount.com}
}

check_values() {
  local name
  for name in "$bucket" "$images_bucket"; do
    [[ $name =~ ^[a-z0-9][a-z0-9_.-]{1,61}[a-z0-9]$ ]] ||
      problem "the name $name of a bucket must be 3 to 63 lower-case letters, digits, - and _, beginning and ending with a letter or digit"
  done
  for name in "$key_ring" "$key" "$images_key"; do
    [[ $name =~ ^[A-Za-z0-9_-]{1,63}$ ]] ||
      problem "the name $name of a key or key ring must be 1 to 63 letters, digits, - and _"
  done
  [ "$bucket" != "$images_bucket" ] || problem "--images-bucket must be another bucket than --bucket: CI may write it"
  [ "$key" != "$images_key" ] || problem "--images-key must be another key than --key: CI may use it"
  for name in "$ci_account" "$preview_account"; do
    [[ $name =~ ^[a-z0-9-]+@[a-z0-9.-]+$ ]] || problem "$name must be the e-mail address of a service account"
  done
}

check_gcloud() {
  if ! command -v gcloud >/dev/null; then
    problem "gcloud is not installed: https://cloud.google.com/sdk/docs/install"
  elif ! CLOUDSDK_CORE_DISABLE_FILE_LOGGING=true gcloud auth print-access-token >/dev/null 2>&1; then # its log has what it prints
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

# ensure_bucket NAME
ensure_bucket() {
  local url=gs://$1 settings versioning uniform prevention owner own
  if ! exists storage buckets describe "$url"; then
    make "bucket $url" storage buckets create "$url" --location "$location" \
      --uniform-bucket-level-access --public-access-prevention
  else
    # Names of buckets are everybody's: one that may be read can still be another project's.
    owner=$(gcloud storage buckets describe "$url" --project "$project" --raw --format='value(projectNumber)')
    own=$(gcloud projects describe "$project" --format='value(projectNumber)')
    if [ "$owner" != "$own" ]; then
      echo "Stopped: $url is of another project, number $owner; another name: --bucket, --images-bucket" >&2
      exit 1
    fi
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

ensure_key_ring() {
  if exists kms keyrings describe "$key_ring" --location "$location"; then have "key ring $key_ring"; else
    make "key ring $key_ring" kms keyrings create "$key_ring" --location "$location"
  fi
}

# ensure_key NAME
ensure_key() {
  if exists kms keys describe "$1" --keyring "$key_ring" --location "$location"; then have "key $1"; else
    make "key $1" kms keys create "$1" --keyring "$key_ring" --location "$location" \
      --purpose encryption --rotation-period 90d --next-rotation-time p90d
  fi
}

# bindings COMMAND...: the policy that it reads, a line ROLE,MEMBER,CONDITION for each member.
bindings() {
  # Searched by the caller: `storage` knows no --filter. What has a condition is another binding.
  gcloud "$@" --project "$project" --flatten='bindings[].members' \
    --format='csv[no-heading](bindings.role,bindings.members,bindings.condition.expression)'
}

# grant ACCOUNT ROLE WHAT COMMAND...: COMMAND reads the policy of the resource.
grant() {
  local member=serviceAccount:$1 role=$2 what=$3 held
  shift 3
  held=$(bindings "$@")
  if grep -qxF "$role,$member," <<<"$held"; then have "$member: $role on $what"; else
    # Without --condition, gcloud asks where the policy has one already.
    make "$member: $role on $what" "${@/get-iam-policy/add-iam-policy-binding}" \
      --member "$member" --role "$role" --condition None
  fi
}

# grant_account ACCOUNT BUCKET_ROLE KEY_ROLE BUCKET KEY
grant_account() {
  grant "$1" "$2" "gs://$4" storage buckets get-iam-policy "gs://$4"
  grant "$1" "$3" "the key $5" kms keys get-iam-policy "$5" --keyring "$key_ring" --location "$location"
}

# there ACCOUNT: whether it exists; what does not is told at the end too.
there() {
  exists iam service-accounts describe "$1" && return
  missing_accounts+=("$1")
  echo "- $1 does not exist yet: nothing granted"
  return 1
}

# find_excess COMMAND...: notes what the CI account holds where it must not hold anything.
find_excess() {
  local role member
  while IFS=, read -r role member _; do
    [ "$member" = "serviceAccount:$ci_account" ] || continue
    excess+=("gcloud ${*/get-iam-policy/remove-iam-policy-binding} --project $project --member $member --role $role --all")
  done < <(bindings "$@")
}

print_next() {
  local keys=gcpkms://projects/$project/locations/$location/keyRings/$key_ring/cryptoKeys command
  cat <<NEXT

Log in to the state of the infrastructure, here and on every maintainer's machine:
  pulumi login gs://$bucket
Stacks that do not exist yet:
  pulumi stack init production --secrets-provider=$keys/$key
  PULUMI_BACKEND_URL=gs://$images_bucket pulumi stack init production-images --secrets-provider=$keys/$images_key
A stack that does, in this state already, with a passphrase until now:
  pulumi stack change-secrets-provider --stack production "$keys/$key"
Commit what they write into Pulumi.production.yaml and Pulumi.production-images.yaml: the workflows need it.
For the workflows, as variables of the GitHub repository:
  gh variable set PULUMI_BACKEND_URL --body gs://$bucket
  gh variable set PULUMI_IMAGES_BACKEND_URL --body gs://$images_bucket
NEXT
  if [ "${#missing_accounts[@]}" -gt 0 ]; then
    echo
    echo "Run this again when pulumi up has made: ${missing_accounts[*]}"
  fi
  if [ "${#excess[@]}" -gt 0 ]; then
    echo
    echo "CI may still write the state of the infrastructure. Once it publishes from its own, take that back:"
    for command in "${excess[@]}"; do echo "  $command"; done
  fi
}

read_options "$@"
read_defaults
check_gcloud
[ "${#problems[@]}" -gt 0 ] || check_values
stop_on_problems
ensure_services
ensure_bucket "$bucket"
ensure_bucket "$images_bucket"
ensure_key_ring
ensure_key "$key"
ensure_key "$images_key"
if there "$ci_account"; then
  grant_account "$ci_account" roles/storage.objectUser roles/cloudkms.cryptoKeyEncrypterDecrypter \
    "$images_bucket" "$images_key"
  find_excess storage buckets get-iam-policy "gs://$bucket"
  find_excess kms keys get-iam-policy "$key" --keyring "$key_ring" --location "$location"
fi
if there "$preview_account"; then
  read_only=(roles/storage.objectViewer roles/cloudkms.cryptoKeyDecrypter)
  grant_account "$preview_account" "${read_only[@]}" "$bucket" "$key"
  grant_account "$preview_account" "${read_only[@]}" "$images_bucket" "$images_key"
fi
print_next
