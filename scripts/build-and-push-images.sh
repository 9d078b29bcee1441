#!/usr/bin/env bash
# Builds and pushes Hyperion's images without the stack: for contributors who have Docker and a login
# at the registry, and no access to the stack's state. Runs on bash 3.2, which macOS has.
set -euo pipefail

usage() {
  cat <<'USAGE'
Builds and pushes Hyperion's images, under the names of images.json and the tags of tags.ts.

Usage: scripts/build-and-push-images.sh [OPTION]...

What to publish:
  --only IMAGE               this image alone; repeat it for several
  --version V                semantic version: 1.4.2 gives the tags 1.4.2, 1.4, 1 and latest
  --revision COMMIT          full git commit: gives its first 7 characters, and edge without a version
  --release-date YYYY-MM-DD  gives itself
  --backport                 the version fixes an older line: do not move its major tag nor latest
  --allow-version-overwrite  let a version that is already published move to this build
                             (none of these: the tag latest alone)
Where:
  --registry URL             push to HOST[:PORT]/PATH instead of production's repository
  --source DIR               folder that holds coordinator/ (default: as production is set)
How:
  --skip-build               push the local images REGISTRY/IMAGE:build as they are
  --jobs N                   so many images at a time (default: 3)
  --log-dir DIR              keep the log of each image here (default: a temporary folder)
  --dry-run                  print what would be done; needs neither Docker nor a login
  --help                     print this

Exit code: 0 all published; 1 something failed (the rest is published); 2 nothing was begun.
Safe to run again: what is there already is not built or pushed twice.
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/problems.sh
source "$root/scripts/lib/problems.sh"
questions=() # options that scripts/images/catalogue.ts checks
jobs=3
log_dir=
skip_build=false
dry_run=false
allow_overwrite=false

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --help | -h)
        usage
        exit 0
        ;;
      --skip-build) skip_build=true ;;
      --dry-run) dry_run=true ;;
      --allow-version-overwrite) allow_overwrite=true ;;
      --backport) questions+=("$1") ;;
      --only | --version | --revision | --release-date | --registry | --source | --jobs | --log-dir)
        if [ $# -lt 2 ]; then
          problem "$1 takes a value; see --help"
          return
        fi
        case $1 in
          --jobs) jobs=$2 ;;
          --log-dir) log_dir=$2 ;;
          *) questions+=("$1=$2") ;;
        esac
        shift
        ;;
      *) problem "unknown option $1; see --help" ;;
    esac
    shift
  done
  [[ $jobs =~ ^[1-9][0-9]?$ ]] || problem "--jobs $jobs must be a number from 1 to 99"
}

# Fills registry, host, login, login_file, platform, source_dir, build_tag, tags, fixed_tag and images.
read_catalogue() {
  local output kind first second third
  if ! command -v node >/dev/null; then
    problem "Node.js is not installed; it reads images.json and the tag rules: install Node.js 20 or later"
    return
  fi
  if [ ! -d "$root/node_modules/zod" ]; then
    problem "this project's packages are not installed: (cd $root && npm ci)"
    return
  fi
  # One process for everything; from the root, where its packages are found.
  if ! output=$(cd "$root" && node scripts/images/catalogue.ts \
    ${questions[@]+"${questions[@]}"} 2>&1); then
    problem "scripts/images/catalogue.ts failed: $output"
    return
  fi
  tags=() names=() contexts=() dockerfiles=() fixed_tag=
  while IFS=$'\t' read -r kind first second third; do
    case $kind in
      problem) problem "$first" ;;
      registry) registry=$first host=$second ;;
      login) login=$first login_file=$second ;;
      platform) platform=$first ;;
      source) source_dir=$first ;;
      build-tag) build_tag=$first ;;
      tag)
        tags+=("$first")
        [ "$second" = fixed ] && fixed_tag=$first
        ;;
      image) names+=("$first") contexts+=("$second") dockerfiles+=("$third") ;;
    esac
  done <<<"$output"
}

check_sources() {
  local i dockerfile
  if [ ! -d "$source_dir" ]; then
    problem "the folder of the sources, $source_dir, does not exist: --source DIR"
    return
  fi
  for i in "${!names[@]}"; do
    dockerfile=${contexts[i]}/${dockerfiles[i]}
    [ -f "$source_dir/$dockerfile" ] ||
      problem "${names[i]}: $source_dir has no $dockerfile: --source DIR names the folder that holds coordinator/"
  done
}

# BuildKit is part of docker up to 22; from 23 on it is the plugin buildx, which may be missing.
can_build() {
  local version
  "$1" buildx version >/dev/null 2>&1 && return
  version=$("$1" version --format '{{.Client.Version}}' 2>/dev/null | head -n 1)
  [[ $version =~ ^([0-9]+)\. ]] && [ "${BASH_REMATCH[1]}" -lt 23 ]
}

check_docker() {
  local candidate found=
  docker=
  while IFS= read -r candidate; do
    found=${found:-$candidate}
    if $skip_build || can_build "$candidate"; then
      docker=$candidate
      break
    fi
  done < <(type -aP docker || true)
  if [ -z "$found" ]; then
    problem "Docker is not installed (no docker on the PATH): https://docs.docker.com/get-docker/"
  elif [ -z "$docker" ]; then
    problem "$found cannot build with BuildKit, its plugin buildx is missing: https://docs.docker.com/go/buildx/"
  elif ! "$docker" version --format '{{.Server.Version}}' >/dev/null 2>&1; then
    problem "the Docker engine does not answer${DOCKER_HOST:+ at $DOCKER_HOST}: start it, or point DOCKER_HOST at one that runs"
  elif $skip_build; then
    check_local_images
  fi
}

check_local_images() {
  local name reference have
  for name in "${names[@]}"; do
    reference=$registry/$name:$build_tag
    if ! have=$("$docker" image inspect --format '{{.Os}}/{{.Architecture}}' "$reference" 2>/dev/null); then
      problem "$name: there is no local image $reference: leave out --skip-build, or docker tag YOUR_IMAGE $reference"
    elif [ "$have" != "$platform" ]; then
      problem "$name: the local image $reference is for $have, and $platform is published: leave out --skip-build"
    fi
  done
}

check_login() {
  local remedy="docker login $host" helper=
  case $host in *.pkg.dev | gcr.io | *.gcr.io) remedy="gcloud auth login && gcloud auth configure-docker $host" ;; esac
  case $login in
    none) problem "not logged in at $host ($login_file has no login for it): $remedy" ;;
    helper*)
      helper=docker-credential-${login#helper }
      if ! command -v "$helper" >/dev/null; then
        problem "not logged in at $host: $login_file names the credential helper $helper, which is not on the PATH: install it, or $remedy"
      elif ! printf '%s' "$host" | "$helper" get >/dev/null 2>&1; then
        problem "not logged in at $host: the credential helper $helper has no login for it: $remedy"
      fi
      ;;
  esac
}

print_plan() {
  local i tag
  for i in "${!names[@]}"; do
    $skip_build || echo "build ${names[i]} for $platform from $source_dir/${contexts[i]}, ${dockerfiles[i]}"
    for tag in "${tags[@]}"; do
      if [ "$tag" = "$fixed_tag" ] && ! $allow_overwrite; then
        echo "push  $registry/${names[i]}:$tag, unless another build is published under it"
      else
        echo "push  $registry/${names[i]}:$tag"
      fi
    done
  done
}

# --- one image, in a worker of its own; stdout and stderr go to its log, file descriptor 3 is the terminal

say() { printf '%s: %s\n' "$name" "$1" >&3; }

# fail REASON [DETAIL]: notes how the image ended.
fail() {
  printf '%s\n' "$1" >"$work/$name.result"
  printf '%s\n' "${2:-$1}"
  say "$1${2:+: $2}"
}

publish_image() {
  local name=${names[$1]} begun=$SECONDS reference
  reference=$registry/$name
  if build_image "$1"; then push_image; fi
  echo "$((SECONDS - begun))" >"$work/$name.seconds"
}

build_image() {
  local context=$source_dir/${contexts[$1]}
  $skip_build && return
  say "building"
  # Without attestations the build is one manifest, as the stack's is.
  if ! DOCKER_BUILDKIT=1 BUILDX_NO_DEFAULT_ATTESTATIONS=1 "$docker" build --progress plain \
    --platform "$platform" --tag "$reference:$build_tag" --file "$context/${dockerfiles[$1]}" "$context"; then
    fail "build failed"
    return 1
  fi
}

push_image() {
  local tag published=false
  if [ -n "$fixed_tag" ] && ! $allow_overwrite; then
    published=$(fixed_tag_is_published) || return 0
  fi
  for tag in "${tags[@]}"; do
    [ "$tag" = "$fixed_tag" ] && $published && continue
    say "pushing $tag"
    if ! { "$docker" tag "$reference:$build_tag" "$reference:$tag" && "$docker" push "$reference:$tag"; } 2>&1 |
      tee "$work/$name.push"; then
      fail "push failed" "$tag: $(tail -n 1 "$work/$name.push")"
      return
    fi
    sed -n 's/^.*: digest: \(sha256:[0-9a-f]*\) .*$/\1/p' "$work/$name.push" >"$work/$name.digest"
  done
  echo pushed >"$work/$name.result"
}

# Prints whether the registry has this very build under the fixed tag; fails when it has another one.
fixed_tag_is_published() {
  local target=$reference:$fixed_tag insecure='' image answer published
  # The engine takes a registry on loopback without TLS or with any certificate; so does this question.
  case $host in localhost | localhost:* | 127.*) insecure=--insecure ;; esac
  image=$("$docker" image inspect --format '{{.Id}}' "$reference:$build_tag")
  if answer=$("$docker" manifest inspect --verbose ${insecure:+"$insecure"} "$target" 2>"$work/$name.inspect"); then
    [[ $answer =~ sha256:[0-9a-f]+ ]]
    published=${BASH_REMATCH[0]}
    # An image's id is the digest of its configuration, or of its manifest with the containerd store.
    if grep -q "\"digest\": *\"$image\"" <<<"$answer"; then
      echo "$published" >"$work/$name.digest"
      echo true
      return
    fi
    fail "refused" "$fixed_tag is published already, as $published, and this build is another (image $image). A published version never moves: choose a new --version, or move it under those who pinned it with --allow-version-overwrite" >&2
    return 1
  fi
  if grep -q 'no such manifest\|manifest unknown\|not found' "$work/$name.inspect"; then
    echo false
    return
  fi
  fail "push failed" "cannot see whether $fixed_tag is published already: $(tail -n 1 "$work/$name.inspect")" >&2
  return 1
}

# Takes one image after the other that no other worker has taken.
worker() {
  local i
  for i in "${!names[@]}"; do
    mkdir "$work/${names[i]}.taken" 2>/dev/null || continue
    publish_image "$i" >"$log_dir/${names[i]}.log" 2>&1
  done
}

run_workers() {
  local i
  exec 3>&1
  # With job control each worker is a process group, so that an interrupt ends docker in it too.
  set -m
  for ((i = 0; i < jobs && i < ${#names[@]}; i++)); do
    worker </dev/null &
    workers+=($!)
  done
  set +m
  wait "${workers[@]}" 2>/dev/null || true
}

# shellcheck disable=SC2317,SC2329 # called by trap
interrupted() {
  local pid
  trap - INT TERM
  for pid in ${workers[@]+"${workers[@]}"}; do kill -TERM -- "-$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  echo "Interrupted; run it again to go on. Logs: $log_dir" >&2
  rm -rf "$work"
  exit 130
}

# noted IMAGE KIND: what a worker noted, or "-".
noted() { cat "$work/$1.$2" 2>/dev/null || echo -; }

# Prints how each image ended; fails when one did not get all its tags.
report() {
  local name result failed=0 list="${tags[*]}" format='%-26s %-12s %7s  %-71s  %s\n'
  echo
  # shellcheck disable=SC2059 # the format is the line above
  printf "$format" IMAGE RESULT SECONDS DIGEST TAGS
  for name in "${names[@]}"; do
    result=$(noted "$name" result)
    [ "$result" = pushed ] || failed=$((failed + 1))
    # shellcheck disable=SC2059
    printf "$format" "$name" "$result" "$(noted "$name" seconds)" "$(noted "$name" digest)" \
      "$([ "$result" = pushed ] && echo "${list// /, }" || echo -)"
  done
  for name in "${names[@]}"; do
    result=$(noted "$name" result)
    # A refusal has said all there is to say.
    case $result in pushed | refused) continue ;; esac
    printf '\n--- %s: %s; the end of %s:\n' "$name" "$result" "$log_dir/$name.log"
    tail -n 15 "$log_dir/$name.log"
  done
  [ "$failed" -eq 0 ] && return
  printf '\n%s of %s images failed; the others are published. Fix it and run it again.\n' "$failed" "${#names[@]}"
  return 1
}

read_options "$@"
read_catalogue
stop_on_problems
$skip_build || check_sources
if $dry_run; then
  stop_on_problems
  print_plan
  exit 0
fi
check_docker
check_login
stop_on_problems

workers=()
work=$(mktemp -d)
temporary_logs=false
if [ -z "$log_dir" ]; then
  temporary_logs=true
  log_dir=$(mktemp -d)
fi
mkdir -p "$log_dir"
trap interrupted INT TERM
run_workers
status=0
report || status=1
rm -rf "$work"
if $temporary_logs && [ "$status" -eq 0 ]; then rm -rf "$log_dir"; fi
exit "$status"
