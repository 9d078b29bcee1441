#!/usr/bin/env bash
# Lists the published versions of Hyperion, the newest first. Needs only curl. Runs on bash 3.2 (macOS).
set -euo pipefail

usage() {
  cat <<'USAGE'
Lists the published versions, the newest first, with their floating tags (latest, 1, 1.4), and marks withdrawn versions.
Uses gcloud's login, or the token in GOOGLE_OAUTH_ACCESS_TOKEN, if the registry is not public.

Usage: scripts/list-versions.sh [--registry URL]
  --registry URL  the registry (default: the one in docker-compose.yml)

Exit code: 0 listed; 1 the registry did not answer or refused; 2 wrong usage.
USAGE
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2016 # a variable of Compose
registry=$(sed -n 's/.*image: *\${HYPERION_REGISTRY:-\([^}]*\)}.*/\1/p' "$root/docker-compose.yml" | head -n 1)
case $#:${1-} in
  0:) ;;
  1:--help) usage && exit 0 ;;
  2:--registry) registry=$2 ;;
  *) usage >&2 && exit 2 ;;
esac
case $registry in
  http://*/* | https://*/*) ;;
  *://* | */ | '') echo "--registry takes a registry such as us-central1-docker.pkg.dev/my-project/my-repository" >&2 && exit 2 ;;
  */*) registry=https://$registry ;;
  *) echo "--registry takes a registry with its repository, such as us-central1-docker.pkg.dev/my-project/my-repository" >&2 && exit 2 ;;
esac
path=${registry#*://}
base=${registry%%://*}://${path%%/*}/v2/${path#*/}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

manifests='application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'

# fetch LOGIN OPTION...: curl with a login on stdin, because the process list shows arguments.
fetch() {
  local login=$1
  shift
  if [ -n "$login" ]; then login="header = \"Authorization: $login\""; fi
  curl --silent --show-error --retry 2 --max-time 30 --config - "$@" <<<"$login"
}

# challenge IMAGE NAME: a parameter of the registry's challenge.
challenge() { grep -i '^www-authenticate:' "$work/$1.head" | sed -n "s/.*$2=\"\([^\"]*\)\".*/\1/p"; }

own_login() {
  local token=${GOOGLE_OAUTH_ACCESS_TOKEN:-}
  if [ -z "$token" ]; then token=$(gcloud auth print-access-token 2>/dev/null) || return 1; fi
  printf 'Basic %s' "$(printf 'oauth2accesstoken:%s' "$token" | base64 | tr -d '\n')"
}

# get IMAGE URL: writes the body to $work/IMAGE.body; sets $status.
get() { status=$(fetch "$bearer" --dump-header "$work/$1.head" --output "$work/$1.body" --write-out '%{http_code}' "$2"); }

# log_in IMAGE LOGIN: sets $bearer to a token of the registry's token server.
log_in() {
  local realm
  realm=$(challenge "$1" realm)
  if [ -z "$realm" ]; then return 1; fi
  bearer=$(fetch "$2" --get --data-urlencode "service=$(challenge "$1" service)" \
    --data-urlencode "scope=$(challenge "$1" scope)" "$realm") || return 1
  bearer=$(tr -d ' \n' <<<"$bearer" | sed -n 's/.*"\(access_\)\{0,1\}token":"\([^"]*\)".*/\2/p')
  if [ -n "$bearer" ]; then bearer="Bearer $bearer"; fi
}

# read_image IMAGE: prints `IMAGE TAG DIGEST` for each version and floating tag.
read_image() {
  local image=$1 url="$base/$1/tags/list?n=1000" status bearer='' login next tags=''
  get "$image" "$url"
  if [ "$status" = 401 ] && log_in "$image" ''; then get "$image" "$url"; fi
  case $status in
    401 | 403)
      if ! login=$(own_login); then
        echo "$registry is not public, and gcloud is not logged in: gcloud auth login" >&2
        return 1
      fi
      bearer=$login
      if [ -n "$(challenge "$image" realm)" ]; then log_in "$image" "$login"; fi
      get "$image" "$url"
      ;;
  esac
  while :; do
    case $status in
      200) ;;
      404) return ;; # an image that was never pushed
      *)
        echo "$registry/$image: the registry answered $status. To get access, ask for roles/artifactregistry.reader" >&2
        return 1
        ;;
    esac
    tags=$tags$(tr -d ' \n\r\t' <"$work/$image.body" | sed -n 's/.*"tags":\[\([^]]*\)\].*/\1/p' | tr -d '"'),
    next=$(sed -n 's/^[Ll]ink: *<\([^>]*\)>.*rel="next".*/\1/p' "$work/$image.head")
    if [ -z "$next" ]; then break; fi
    case $next in
      /*) next=${base%%/v2/*}$next ;;
    esac
    get "$image" "$next"
  done
  tr , '\n' <<<"$tags" | grep . >"$work/$image.tags" || return 0
  # The tags that mark a version as started or withdrawn.
  sed -n "s/^\(build-\)\([0-9].*\)/$image build \2/p; s/^\(withdrawn-\)\(.*\)/$image withdrawn \2/p" "$work/$image.tags"
  grep -E '^(latest|[0-9]+(\.[0-9]+)?|[0-9]+\.[0-9]+\.[0-9]+(-.*)?)$' "$work/$image.tags" |
    sed "s|.*|url = \"$base/$image/manifests/&\"|" >"$work/$image.urls" || return 0
  fetch "$bearer" --head --header "Accept: $manifests" --config "$work/$image.urls" --write-out 'url %{url_effective}\n' |
    tr -d '\r' |
    awk -v image="$image" '
      tolower($1) == "docker-content-digest:" { digest = $2 }
      $1 == "url" { sub(/.*\//, "", $2); if (digest != "") print image, $2, digest; digest = "" }'
}

# sorted: versions by precedence, the highest first (https://semver.org/#spec-item-11).
sorted() {
  awk -F '[.]' '
    function padded(number) { return sprintf("%3d%s", length(number), number) }
    {
      version = $0
      prerelease = ""
      dash = index(version, "-")
      core = dash ? substr(version, 1, dash - 1) : version
      split(core, numbers, ".")
      key = padded(numbers[1]) "." padded(numbers[2]) "." padded(numbers[3])
      if (dash) {
        count = split(substr(version, dash + 1), parts, ".")
        for (at = 1; at <= count; at++)
          prerelease = prerelease "!" (parts[at] ~ /^[0-9]+$/ ? "0" padded(parts[at]) : "1" parts[at])
      } else prerelease = "~"
      print key prerelease "\t" version
    }' | LC_ALL=C sort -r | cut -f 2
}

images=$(sed -n 's/.*"name": *"\([^"]*\)".*/\1/p' "$root/images.json")
pids=''
for image in $images; do
  read_image "$image" >"$work/$image.found" 2>"$work/$image.error" &
  pids="$pids $!"
done
failed=false
for pid in $pids; do wait "$pid" || failed=true; done
if $failed; then
  # The error is the same for every image.
  error=$(grep -hm 1 . "$work"/*.error | head -n 1)
  case $error in
    curl:*) error="$error; another registry: --registry URL" ;;
  esac
  echo "$error" >&2
  exit 1
fi
cat "$work"/*.found >"$work/found"

awk '$2 ~ /^[0-9]+\.[0-9]+\.[0-9]+(-.*)?$/ { print $2 }' "$work/found" | sort -u | sorted >"$work/versions"
if [ ! -s "$work/versions" ]; then
  echo "No version is published at ${registry#https://}."
  exit 0
fi

echo "Versions at ${registry#https://}, the newest first:"
awk '
  FNR == NR { versions[++count] = $1; next }
  !seen[$1]++ { images[++many] = $1 }
  $2 == "build" { begun[$1, $3] = 1; next }
  $2 == "withdrawn" { withdrawn[$3] = 1; next }
  { digest[$1, $2] = $3 }
  # note VERSION TEXT
  function note(version, text) { notes[version] = notes[version] (notes[version] == "" ? "" : ", ") text }
  # place TAG: adds the tag to the note of its version, by image if the images differ.
  function place(tag, image, at, on, by, all, where) {
    split("", by)
    where = ""
    all = 1
    for (at = 1; at <= many; at++) {
      image = images[at]
      if (digest[image, tag] == "") continue
      on = "none"
      for (each = 1; each <= count; each++)
        if (digest[image, versions[each]] == digest[image, tag]) { on = versions[each]; break }
      by[image] = on
      if (where != "" && where != on) all = 0
      where = on
    }
    if (where == "") return
    if (all) { if (where == "none") other = other tag " points to no version\n"; else note(where, tag); return }
    for (at = 1; at <= many; at++)
      if (by[images[at]] == "none") other = other tag " of " images[at] " points to no version\n"
      else if (by[images[at]] != "") note(by[images[at]], tag " of " images[at])
  }
  END {
    for (one = 1; one <= count; one++) {
      version = versions[one]
      if (index(version, "-")) continue
      split(version, numbers, ".")
      lines[1] = numbers[1] "." numbers[2]; lines[2] = numbers[1]; lines[3] = "latest"
      for (line = 1; line <= 3; line++) if (!placed[lines[line]]++) place(lines[line])
    }
    for (one = 1; one <= count; one++) {
      version = versions[one]
      if (version in withdrawn) note(version, "withdrawn")
      for (at = 1; at <= many; at++)
        if (begun[images[at], version] && digest[images[at], version] == "") note(version, images[at] " lacks it")
      if (length(version) > width) width = length(version)
    }
    for (one = 1; one <= count; one++) {
      line = sprintf("%-" width "s  %s", versions[one], notes[versions[one]])
      sub(/ +$/, "", line)
      print line
    }
    printf "%s", other
  }' "$work/versions" "$work/found"
