#!/usr/bin/env bash
# Reports the problems that keep Hyperion's compose file from working on this machine, with the commands that fix them. Needs
# no other file than docker-compose.yml. Runs on bash 3.2 (macOS) and in WSL.
set -euo pipefail

usage() {
  cat <<'USAGE'
Checks the machine, Docker and Compose, the .env beside docker-compose.yml, this shell's variables, Docker's containers and
volumes, and the configuration files of Hyperion's clients. Reports all problems at once, and pulls nothing.

Usage: check-compose.sh [--write] [FOLDER]
  --write  write the settings that this machine needs to .env: an image for its processor, an option that its Docker
           refuses, the hosts that its proxy excludes; without this option, the script changes nothing
  FOLDER   the folder of docker-compose.yml and .env (default: this script's folder, or its parent)

Exit code: 0 no problem; 1 problems found; 2 wrong usage.
USAGE
}

problems=() notes=() write=false
# Seconds after which `read` leaves a Docker that hangs. The other reads wait.
patience=${TMOUT:-20}
unset TMOUT

# found PROBLEM FIX
found() { problems+=("$1"$'\n'"    fix: $2"); }

not_checked() { notes+=("$1"); }

# number VERSION: its first two numbers as one number, for comparisons.
number() {
  local major minor
  IFS=. read -r major minor _ <<<"${1#v}"
  major=${major%%[!0-9]*} minor=${minor%%[!0-9]*}
  echo $((10#${major:-0} * 1000 + 10#${minor:-0}))
}

# read_env: reads .env as Compose does, into variables file_NAME, and the names into $in_env.
in_env=()
read_env() {
  local line more name text quote count=0 blank='^[[:space:]]*(#|$)'
  local assignment='^[[:space:]]*(export[[:space:]]+)?([][A-Za-z0-9_.-]+)[[:space:]]*[=:][[:space:]]*(.*)$'
  [ -f .env ] || return 0
  if [ ! -r .env ]; then found "you have no permission to read .env" "sudo chown $(id -un) .env" && return; fi
  while IFS= read -r line || [ -n "$line" ]; do
    count=$((count + 1)) line=${line#$'\xef\xbb\xbf'} line=${line%$'\r'}
    if ! [[ $line =~ $assignment ]]; then
      [[ $line =~ $blank ]] || found "line $count of .env sets nothing" "write it as NAME=VALUE, or start it with #"
      continue
    fi
    name=${BASH_REMATCH[2]} text=${BASH_REMATCH[3]} quote=${BASH_REMATCH[3]:0:1}
    case $quote in
      \" | \')
        text=${text#?}
        while [[ $text != *"$quote"* ]] && IFS= read -r more; do count=$((count + 1)) text=$text$'\n'${more%$'\r'}; done
        text=${text%%"$quote"*}
        ;;
      *) text=${text%% #*} text=${text%"${text##*[![:space:]]}"} ;;
    esac
    [ "$quote" != \" ] || text=${text//\\\$/\$\$}
    [ "$quote" = \' ] || expand "$text"
    in_env+=("$name")
    case $name in *[!A-Za-z0-9_]* | [0-9]*) ;; *) printf -v "file_$name" '%s' "$text" ;; esac
  done <.env
}

# expand TEXT: replaces $NAME, ${NAME} and ${NAME:-DEFAULT} in the value of $name. Sets $text.
expand() {
  local rest=$1 other variable='^([^$]*)[$](([$])|([A-Za-z_][A-Za-z0-9_]*)|[{]([A-Za-z_][A-Za-z0-9_]*)(:?-([^}]*))?[}])?(.*)$'
  text=''
  while [[ $rest =~ $variable ]]; do
    text=$text${BASH_REMATCH[1]}${BASH_REMATCH[3]} rest=${BASH_REMATCH[8]} other=${BASH_REMATCH[4]}${BASH_REMATCH[5]}
    [ -n "${BASH_REMATCH[2]}" ] || text=$text'$'
    set -- "${other:+$(value "$other")}" "${BASH_REMATCH[7]}" "${BASH_REMATCH[6]}"
    text=$text${1:-$2}
    [ -z "$other" ] || [ -n "$1$3${!other+set}" ] || in_file "$other" ||
      found "$name in .env contains \$$other, which is not set: Compose replaces it with nothing" "put the value of $name in single quotes"
  done
  text=$text$rest
}

in_file() { local name=file_$1; [ -n "${!name+set}" ]; }

# find_value NAME: sets $value to the value that Compose uses: this shell's, or else the last one in .env.
find_value() {
  local name=$1
  [ -n "${!name+set}" ] || name=file_$1
  value=${!name-}
}

# value NAME: prints it.
value() {
  local value
  find_value "$1"
  printf '%s' "$value"
}

# lines NAME: a pattern for its lines in .env, up to the value.
lines() { if grep -qs "^$1=" .env; then echo "^$1="; else echo "^[^#=:A-Z_]*$1 *[=:]"; fi; }

# rename OLD NEW, delete NAME: the commands that do so in .env.
rename() { echo "sed -i.old 's/$(lines "$1")/$2=/' .env"; }
delete() { echo "sed -i.old '/$(lines "$1")/d' .env"; }

# drop NAME: the command that removes it where it is set. This shell's variables override .env.
drop() { if [ -n "${!1+set}" ]; then echo "unset $1"; else delete "$1"; fi; }

# set_to NAME VALUE: the command that changes it where it is set, or else in .env.
set_to() {
  local line="$1=$2"
  case $line in *[!A-Za-z0-9_.:/@=,-]*) line="'$line'" ;; esac
  if [ -n "${!1+set}" ]; then
    echo "export $line"
  elif in_file "$1"; then
    echo "sed -i.old 's|$(lines "$1").*|$1=$2|' .env"
  elif [ -n "$(tail -c 1 .env 2>/dev/null)" ]; then
    echo "echo >> .env; echo $line >> .env"
  else
    echo "echo $line >> .env"
  fi
}

# setting NAME: its value, or else the default in docker-compose.yml.
setting() {
  local value default="[$][{]$1:-([^{}]*)[}]"
  find_value "$1"
  if [ -z "$value" ] && [[ $compose_file =~ $default ]]; then value=${BASH_REMATCH[1]}; fi
  printf '%s' "$value"
}

# needs NAME VALUE WHY: a value that this machine requires; --write writes it.
needs() {
  if ! $write || [ -n "${!1+set}" ]; then
    found "$3" "$(set_to "$1" "$2"), or bash $0 --write${folder:+ $folder}"
  elif in_file "$1"; then
    sed -i.old "s|$(lines "$1").*|$1=$2|" .env
  else
    [ -z "$(tail -c 1 .env 2>/dev/null)" ] || echo >>.env
    echo "$1=$2" >>.env
  fi
}

# runs_here VARIABLE: whether the service runs in a container here.
runs_here() {
  case $1 in
    HYPERION_EMBEDDING) case $(value "$1")$(value EMBEDDING) in *elsewhere* | openai) return 1 ;; esac ;;
    *) [ "$(value "$1")" != elsewhere ] ;;
  esac
}

# Variables of an earlier compose file, with their new names.
former=' WEB_PORT:HYPERION_UI_PORT MCP_PORT:HYPERION_MCP_PORT BRIDGE_PORT:HYPERION_BRIDGE_PORT MONGODB_PORT: QDRANT_HTTP_PORT:
 MONGO_ROOT_USERNAME:MONGODB_USERNAME MONGO_ROOT_PASSWORD:MONGODB_PASSWORD EMBEDDING_SERVICE_URL:TEI_URL QDRANT_GRPC_PORT:
 EMBEDDING_PORT: '

# check_unknown: finds names that no compose file in this folder reads: all names in .env, and those of this shell's variables
# that start like Hyperion's. (bash 3.2 fails on a comment inside "< <(".)
check_unknown() {
  local name near distance where file
  [ -f docker-compose.yml ] || return 0
  while read -r where name near distance; do
    case $name in COMPOSE_* | DOCKER_* | BUILDKIT_* | BUILDX_* | HYPERION_SANDBOX_* | HYPERION_PROJECT_DIR | HYPERION_PULUMI) continue ;; esac
    if [[ $former == *" $name:"* ]]; then
      [ "$where" = file ] || continue
      near=${former#*" $name:"} near=${near%%[[:space:]]*}
      if [ -n "$near" ]; then
        found "$name in .env is no longer read: its new name is $near" "$(rename "$name" "$near")"
      else
        found "$name in .env is no longer read: the services behind Hyperion have no port on this machine" "$(delete "$name")"
      fi
    elif [ "$where" = shell ]; then
      if [ "$distance" -le 2 ]; then
        found "$name is not read by any compose file; did you mean $near?" "export $near=\"\$$name\"; unset $name"
      elif [[ $name == HYPERION_* ]]; then
        found "$name is not read by any compose file" "unset $name"
      fi
    elif [ "$distance" -gt 3 ] || [ $((distance * 3)) -gt "${#name}" ]; then
      found "$name in .env is not read by any compose file" "$(delete "$name")"
    else
      found "$name in .env is not read by any compose file; did you mean $near?" "$(rename "$name" "$near")"
    fi
  done < <(
    {
      { printf '%s\n' .env docker-compose*.y*ml compose*.y*ml && value COMPOSE_FILE | tr ':' '\n'; } |
        while read -r file || [ -n "$file" ]; do cat "$file" 2>/dev/null || true; done |
        sed -e 's/[$][$]//g' -e 's/^[^$]*//' | tr '$' '\n' | sed -n 's/^{\{0,1\}\([A-Z_][A-Z0-9_]*\).*/known \1/p'
      [ "${#in_env[@]}" -eq 0 ] || printf 'file %s\n' "${in_env[@]}"
      compgen -e | sed -En 's/^(HYPERION|MONGODB|QDRANT|EMBEDDING|TEI|OPENAI|CODE_INDEX)_/shell &/p'
    } | awk '
      function least(a, b) { return a < b ? a : b }
      function distance(a, b,   i, j, row, above, diagonal) {
        for (j = 0; j <= length(b); j++) row[j] = j
        for (i = 1; i <= length(a); i++) {
          diagonal = row[0]; row[0] = i
          for (j = 1; j <= length(b); j++) {
            above = row[j]
            row[j] = least(least(above, row[j - 1]) + 1, diagonal + (substr(a, i, 1) != substr(b, j, 1)))
            diagonal = above
          }
        }
        return row[length(b)]
      }
      $1 == "known" { known[$2]; next }
      !($2 in known) && !seen[$1, $2]++ {
        near = ""; best = 99
        for (name in known) if ((d = distance(toupper($2), name)) < best || d == best && name < near) { best = d; near = name }
        print $1, $2, near, best
      }'
  )
}

# check_values: rules are NAMES PATTERN ALLOWED. Does not print values that can be secret.
check_values() {
  local names name pattern allowed value shown
  while read -r names pattern allowed; do
    for name in ${names//,/ }; do
      find_value "$name"
      if [ -z "$value" ] || [[ $value =~ ^($pattern)$ ]]; then continue; fi
      case $name in *PASSWORD | *_KEY | *_UR[IL]) shown=$name ;; *) shown="$name=$value" ;; esac
      if [ "$name" = MONGODB_PASSWORD ] && $mongodb_filled; then
        found "$shown breaks the address of the database, and its volume keeps the login: $allowed" \
          "change it in the database, then in .env: COMPOSE.md, \"Settings\""
      else
        found "$shown cannot work: $allowed" "$(drop "$name")"
      fi
    done
  done <<'RULES'
HYPERION_REGISTRY ([a-z]+://)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]+)?(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*/* a host, and names of lowercase letters, digits, - _ and . after slashes
HYPERION_TAG [A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|.*sha256:.* a tag of letters, digits, - _ and . (1.4.2, v1.4.2, 1, latest)
HYPERION_UI_PORT,HYPERION_MCP_PORT,HYPERION_BRIDGE_PORT [1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5] a port from 1 to 65535
HYPERION_PLATFORM linux/(amd64|arm64)(/v[0-9]+)? a platform of Hyperion's images, linux/amd64 or linux/arm64
COMPOSE_PROFILES [A-Za-z0-9_.,-]+ names of profiles, separated by commas; with *, Compose also starts the templates
HYPERION_RESTART no|always|unless-stopped|on-failure(:[0-9]+)? unless-stopped, always, on-failure or no
HYPERION_MEMORY,MONGODB_MEMORY,QDRANT_MEMORY,EMBEDDING_MEMORY 0|([1-9][0-9]{6,}|[1-9][0-9]{3,}[[:space:]]?[kK]|[1-9][0-9]+(\.[0-9]+)?[[:space:]]?[mM]|[0-9]+(\.[0-9]+)?[[:space:]]?[gGtT])([iI]?[bB])? a size such as 512m or 2g, or 0
HYPERION_PIDS -1|[0-9]+ a number of processes, or -1
HYPERION_NO_NEW_PRIVILEGES [01tTfF]|true|True|TRUE|false|False|FALSE true or false
CODE_INDEX_AUTO_SCAN true|false true or false
CODE_INDEX_FOLDERS /code(/[^,]*)?(,/code(/[^,]*)?)* folders in the container, /code or below it, separated by commas
LOG_LEVEL debug|info|warn|error debug, info, warn or error
HYPERION_MONGODB,HYPERION_QDRANT,HYPERION_EMBEDDING local|elsewhere where the service runs: local (in a container here), or elsewhere
EMBEDDING local|openai local or openai
MONGODB_USERNAME,MONGODB_PASSWORD [A-Za-z0-9_.-]+ letters, digits, - _ and .
MONGODB_DATABASE [A-Za-z0-9_-]{1,63} letters, digits, - and _, at most 63
MONGODB_URI mongodb(\+srv)?://(([^]%@:/?#[[:space:]]|%[0-9A-Fa-f]{2})+(:([^]%@:/?#[[:space:]]|%[0-9A-Fa-f]{2})+)?@)?[^@/?#[:space:]]+(/[^@/?#[:space:]]*)?(\?[^@#[:space:]]*)? mongodb://LOGIN@HOST/?OPTIONS, where % @ : / ? # in a login are written %25 %40 %3A %2F %3F %23
QDRANT_URL,TEI_URL https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[^@?#[:space:]]*)? an address without a login, http://HOST:PORT or https://HOST:PORT
QDRANT_API_KEY,OPENAI_API_KEY [^[:space:]]+ one word
EMBEDDING_MODEL [A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+ a model of Hugging Face, OWNER/NAME
MONGODB_IMAGE,QDRANT_IMAGE,EMBEDDING_IMAGE ([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]+)?/)?[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})? the name of an image, without a scheme
RULES
}

# check_ports: finds an address that this machine does not have, and ports that two services use, or another program.
check_ports() {
  local name port address other used=' '
  address=$(setting HYPERION_BIND)
  case $address in 0.0.0.0 | ::) address=127.0.0.1 ;; esac
  if [[ $address != 127.* ]] && ! grep -qwF -- "$address" <<<"$(ip address 2>/dev/null || ifconfig 2>/dev/null)"; then
    # Docker Desktop in WSL has the addresses of Windows.
    [[ $(uname -r) == *[Mm]icrosoft* ]] ||
      found "HYPERION_BIND=$address is not an IP address of this machine (127.0.0.1, 0.0.0.0 or one of its networks)" "$(drop HYPERION_BIND)"
    address=''
  fi
  for name in HYPERION_UI_PORT HYPERION_MCP_PORT HYPERION_BRIDGE_PORT; do
    port=$(setting "$name")
    [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || continue
    other=$port
    while [[ $used == *" $other "* ]] || { [ -n "$address" ] && listens "$address" "$other"; }; do other=$((other < 55000 ? other + 10000 : other - 49999)); done
    if [[ $used == *" $port "* ]]; then
      found "$name=$port is the port of another service here" "$(set_to "$name" "$other")"
    elif [ "$other" != "$port" ] && ! { $answers && [ -n "$(docker ps --quiet --filter "label=com.docker.compose.project=$compose_project" --filter "publish=$port")" ]; }; then
      found "port $port ($name) is in use on this machine" "$(set_to "$name" "$other")"
    fi
    used="$used$port "
  done
}

listens() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# check_folders: Docker mounts an empty or unreadable folder without an error.
check_folders() {
  local code='' folder label name
  for name in HYPERION_CODE HYPERION_SOURCE; do
    folder=$(value "$name")
    [ -n "$folder" ] || continue
    case $folder in
      \~ | \~/*) folder=$HOME${folder#?} ;;
      [!/]*) folder=$PWD/$folder ;;
    esac
    [ "$name" = HYPERION_SOURCE ] || code=$folder
    if [ ! -d "$folder" ]; then
      found "$name=$folder is not a folder of this machine" "$(drop "$name"), or name another"
      continue
    elif [ -z "$(ls -A "$folder" 2>/dev/null)" ]; then
      found "$name=$folder is empty, or you have no permission to read it" "$(drop "$name"), or name another"
    elif [ "$(uname)" = Linux ] && [ "$name" = HYPERION_CODE ] && [ -z "$(find "$folder" -maxdepth 0 \( -perm -005 -o -user 1000 -perm -500 -o -group 1000 -perm -050 \))" ]; then
      found "$name=$folder is not readable for user 1000, as which Hyperion runs" "chmod -R o+rX '$folder'"
    fi
    if [[ $security == *name=selinux* ]]; then
      label=$(stat -c %C "$folder" 2>/dev/null) || label=''
      case $label in
        *:container_file_t:* | *:container_ro_file_t:* | *:container_share_t:* | *:svirt_sandbox_file_t:*) ;;
        *) found "$name=$folder has no SELinux label that lets containers read it (${label:-none})" "sudo chcon -R -t container_file_t '$folder'" ;;
      esac
    fi
    if $snap; then
      case $folder in
        /home/*/.*) ;;
        /home/* | /media/* | /mnt/*) continue ;;
      esac
      found "$name=$folder is hidden from Docker from snap, which mounts an empty folder in its place" "mv '$folder' /home/$(id -un)/"
    fi
  done
  [ -n "$(value CODE_INDEX_FOLDERS)" ] || return 0
  if [ -z "$code" ]; then
    found "CODE_INDEX_FOLDERS names folders, but HYPERION_CODE is not set: the container has an empty folder" "$(set_to HYPERION_CODE "$PWD")"
    return
  fi
  while read -r -d , folder; do
    case $folder in /code/*) [ -d "$code/${folder#/code/}" ] || found "CODE_INDEX_FOLDERS names $folder, and $code/${folder#/code/} is not a folder" "$(drop CODE_INDEX_FOLDERS)" ;; esac
  done <<<"$(value CODE_INDEX_FOLDERS),"
}

# check_elsewhere PLACE URL HOST: the address must match the place.
check_elsewhere() {
  local url host plain
  url=$(value "$2") plain=${url%"${url##*[!/]}"}
  case $2 in *_URL) [ "$url" = "$plain" ] || found "$2 ends in a slash, but Hyperion appends paths to it" "$(set_to "$2" "$plain")" ;; esac
  host=${url#*://} host=${host##*@} host=${host%%[/?,]*}
  case $host in \[*) ;; *) host=${host%%:*} ;; esac
  case $host in
    localhost | 127.* | 0.0.0.0 | \[::1\]*)
      found "$2 names $host, which in a container is the container itself" "name this machine's address in its network, or host.docker.internal with Docker Desktop"
      ;;
  esac
  if [ "$(value "$1")" = elsewhere ]; then
    if [ -z "$url" ] || [ "$host" = "$3" ]; then
      found "$1=elsewhere, but $2 names no other server" "$(set_to "$1" local)"
    fi
  elif [ -n "$url" ] && [ "$host" != "$3" ]; then
    found "$2 names $host, but Compose starts the container of $3 here too" "$(set_to "$1" elsewhere)"
  fi
}

check_mongodb_login() {
  local server host login='' user
  server=$(value MONGODB_URI) server=${server#*://} server=${server%%[/?]*} host=${server##*@}
  [ "${host%%:*}" = mongodb ] || return 0
  [ "$server" = "$host" ] || login=${server%@*}
  user=$(setting MONGODB_USERNAME)
  if [ -z "$login" ]; then
    found "MONGODB_URI has no login, but the database needs one; without this line, Compose sets the right address" "$(drop MONGODB_URI)"
  elif [ "${login%%:*}" != "$user" ]; then
    found "MONGODB_URI logs in as ${login%%:*}, but the database's user is $user (MONGODB_USERNAME)" "$(drop MONGODB_URI)"
  elif ! $mongodb_filled && [ "$login" != "$user:$(setting MONGODB_PASSWORD)" ]; then
    found "MONGODB_URI has another password than MONGODB_PASSWORD, which the new database gets" "$(drop MONGODB_URI)"
  fi
}

check_embedding() {
  [ "$(value EMBEDDING)" = openai ] || return 0
  [ -n "$(value OPENAI_API_KEY)" ] ||
    found "EMBEDDING=openai needs OPENAI_API_KEY; the MCP server ends without it" "$(set_to EMBEDDING local)"
  found "EMBEDDING=openai makes vectors of 1536 dimensions, but Hyperion's code index has 768: a search finds no code" "$(set_to EMBEDDING local)"
}

check_images() {
  local registry tag plain
  registry=$(value HYPERION_REGISTRY)
  plain=${registry#*://} plain=${plain%"${plain##*[!/]}"}
  [ "$registry" = "$plain" ] ||
    found "HYPERION_REGISTRY=$registry has a scheme or a slash at its end; it must have neither" "$(set_to HYPERION_REGISTRY "$plain")"
  tag=$(value HYPERION_TAG)
  [[ $tag != *sha256:* ]] ||
    found "HYPERION_TAG=$tag is a digest, but each image has its own: use a lock file to pin them" "HYPERION_TAG=1.4.2 docker compose config --lock-image-digests > docker-compose.lock.yml"
}

check_override() {
  local file
  for file in docker-compose.override.yml docker-compose.override.yaml compose.override.yml compose.override.yaml; do
    [ -f "$file" ] || continue
    # A port without an address before it: "7778:7778".
    if grep -Eq "^[[:space:]]*-[[:space:]]*[\"']?[^.[:space:]]*:[0-9]+[\"']?[[:space:]]*(#.*)?\$" "$file"; then
      found "$file opens ports on every address of this machine, in addition to those of docker-compose.yml" "mv $file $file.old"
    fi
  done
}

# look_at_docker: reads the properties of Docker and its engine.
look_at_docker() {
  local client='' components=''
  root='' security='' memory=0 arch='' version=''
  read -r -t "$patience" client < <(docker --version 2>/dev/null) || true
  IFS='|' read -r -t "$patience" version arch components < <(docker version --format '{{.Server.Version}}|{{.Server.Arch}}|{{range .Server.Components}}{{.Name}},{{end}}' 2>/dev/null) || true
  if [ -z "$client" ]; then
    found "there is no Docker on PATH" "install it: https://docs.docker.com/engine/install"
  elif [[ $client$components == *[Pp]odman* ]]; then
    found "docker is Podman here, which is not supported: it reads no \"!reset\" in a compose file" "install Docker: https://docs.docker.com/engine/install"
  elif [ -z "$version" ]; then
    has_docker=true
    found "Docker does not answer, so its containers, volumes and limits are not checked" "docker version"
  else
    has_docker=true answers=true
    [ "$(number "$version")" -ge "$(number 20.10)" ] ||
      found "Docker $version is older than 20.10" "install a later one: https://docs.docker.com/engine/install"
    IFS='|' read -r -t "$patience" root memory security < <(docker info --format '{{.DockerRootDir}}|{{.MemTotal}}|{{.SecurityOptions}}' 2>/dev/null) || true
    case $root in /var/snap/*) snap=true ;; esac
    volumes=$(docker volume ls --format '{{.Name}}' 2>/dev/null) || true
    ! has_volume "${compose_project}_mongodb-data" || mongodb_filled=true
    ! has_volume "${compose_project}_qdrant-data" || qdrant_filled=true
  fi
}

# check_compose: finds a missing or old Compose, and what Compose itself refuses. Sets $compose to its command.
check_compose() {
  local version='' said
  compose='docker compose'
  if ! read -r -t "$patience" version < <(docker compose version --short 2>/dev/null); then
    compose='docker-compose'
    read -r -t "$patience" version < <(docker-compose version --short 2>/dev/null) || true
    [ -z "$version" ] || not_checked "there is no docker compose here: use docker-compose instead"
  fi
  if [ -z "$version" ]; then
    found "there is no docker compose" "install it: https://docs.docker.com/compose/install"
  elif [ "$(number "$version")" -lt "$(number 2.24)" ]; then
    found "$compose $version is older than 2.24, which docker-compose.yml needs" "install a later one: https://docs.docker.com/compose/install"
  elif [ -f docker-compose.yml ] && ! said=$($compose config --quiet 2>&1); then
    # The checks above name a wrong value of a service. The text in quotes can be a password.
    [ "${#problems[@]}" -ne 0 ] && [[ $said == *service* ]] ||
      found "Compose refuses this folder: $(tail -n 1 <<<"$said" | sed "s/ [\"'].*//")" "$compose config --quiet, and correct what it names"
  fi
}

check_machine() {
  local cpu='' image proxies
  ! $snap || [[ $(value HYPERION_NO_NEW_PRIVILEGES) == [0fF]* ]] ||
    needs HYPERION_NO_NEW_PRIVILEGES false "Docker from snap refuses no-new-privileges: every container ends with \"operation not permitted\""

  image=$(setting EMBEDDING_IMAGE)
  case $arch in
    amd64 | arm64) ;;
    *) [ -n "$(value HYPERION_PLATFORM)" ] || found "this Docker runs on $arch, but Hyperion's images on amd64 and arm64" "HYPERION_PLATFORM=linux/amd64 where QEMU emulates it: docs/COMPOSE.md" ;;
  esac
  if runs_here HYPERION_EMBEDDING; then
    case $arch:$image in
      arm64:*text-embeddings-inference:cpu-arm64-*) ;;
      arm64:*text-embeddings-inference:cpu-*)
        needs EMBEDDING_IMAGE "${image%:*}:cpu-arm64-latest" "this Docker runs on arm64, but $image is for amd64: it crashes, or is emulated and takes minutes for a request" ;;
      amd64:*:cpu-arm64-*) found "this Docker runs on amd64, but EMBEDDING_IMAGE=$image is for arm64" "$(drop EMBEDDING_IMAGE)" ;;
    esac
    [ "${memory:-0}" -eq 0 ] || [ "$memory" -ge 3600000000 ] ||
      found "Docker has $((memory / 1000000)) MB of memory, but Hyperion needs about 4 GB" "give it more (Docker Desktop: Settings, Resources), or $(set_to HYPERION_EMBEDDING elsewhere)"
    if ! docker image inspect "$image" >/dev/null 2>&1; then
      [ -d "$root" ] || root=$HOME
      df -Pk "$root" 2>/dev/null | awk 'NR == 2 { exit $4 < 5000000 }' ||
        found "the disk of $root has less than 5 GB left, but the images and the model need as much" "docker image prune --all"
    fi
  fi

  # The features that MongoDB's image looks for.
  cpu=$(cat /proc/cpuinfo 2>/dev/null) || true
  if [ -n "$cpu" ] && runs_here HYPERION_MONGODB; then
    case $arch in
      amd64) [[ $cpu == *avx* ]] || ! is_mongodb_5 || found "this processor has no AVX, without which MongoDB 5 and later end with 132" "in a virtual machine, give it the host's processor type; else $(set_to HYPERION_MONGODB elsewhere)" ;;
      arm64) grep -Eq 'Features.*(fphp|dcpop|sha3|sm3|sm4|asimddp|sha512|sve)' <<<"$cpu" || ! is_mongodb_5 ||
        found "this processor is older than ARMv8.2-A, without which MongoDB 5 and later end with 132" "$(set_to HYPERION_MONGODB elsewhere)" ;;
    esac
  fi

  proxies=$(cat "${DOCKER_CONFIG:-$HOME/.docker}/config.json" 2>/dev/null | tr -d '\n' | sed -n 's/.*"noProxy"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p') || true
  [ -z "$proxies" ] || [ -n "$(value NO_PROXY)" ] ||
    needs NO_PROXY "$proxies" "Docker's config.json excludes $proxies from the proxy, but docker-compose.yml replaces these exclusions"
}

# version_of IMAGE [mongo]: the version in the image if it is here, or else in its tag.
version_of() {
  local format='{{index .Config.Labels "org.opencontainers.image.version"}}' version=''
  # In MongoDB's image, this label is Ubuntu's.
  [ "${2:-}" != mongo ] || format='{{range .Config.Env}}{{println .}}{{end}}'
  version=$(docker image inspect --format "$format" "$1" 2>/dev/null | sed -n 's/^\(MONGO_VERSION=\)\{0,1\}v\{0,1\}\([0-9][0-9]*\.[0-9][0-9.]*\).*/\2/p') || true
  [ -n "$version" ] || version=$(sed -n 's/^[^@]*:v\{0,1\}\([0-9][0-9]*\(\.[0-9][0-9]*\)*\).*/\1/p' <<<"${1##*/}")
  printf '%s' "${version:-0}"
}

# Whether the next start is of MongoDB 5 or later.
is_mongodb_5() { [ "$(number "$(version_of "$(setting MONGODB_IMAGE)" mongo)")" -ge 5000 ]; }

has_volume() { grep -qxF -- "$1" <<<"$volumes"; }

# read_data: reads the databases' volumes in one container. It pulls no image: without a local image of Qdrant or MongoDB,
# $was_read stays false. Sets $formats to the format versions of Qdrant's collections, and $mongod to the version of MongoDB that
# last opened its data.
read_data() {
  local image text mounts=()
  if runs_here HYPERION_QDRANT && $qdrant_filled; then mounts+=(--volume "${compose_project}_qdrant-data:/qdrant:ro"); fi
  if runs_here HYPERION_MONGODB && $mongodb_filled; then mounts+=(--volume "${compose_project}_mongodb-data:/mongodb:ro"); fi
  [ "${#mounts[@]}" -ne 0 ] || return 0
  for image in "$(setting QDRANT_IMAGE)" "$(setting MONGODB_IMAGE)"; do
    # shellcheck disable=SC2016 # the shell in the container expands it
    # MongoDB's diagnostic data starts with mongod's build information.
    text=$(docker run --rm --pull never --network none --user root --entrypoint sh "${mounts[@]}" "$image" -c '
      echo read
      for file in /qdrant/collections/*/version.info; do [ ! -f "$file" ] || echo "format $(cat "$file")"; done
      for file in /mongodb/diagnostic.data/metrics.[0-9]*; do last=$file; done
      [ ! -f "$last" ] || cat "$last"' </dev/null 2>/dev/null | head -c 65536 | LC_ALL=C tr -c '[:print:]' '\n') || true
    [[ $text == read* ]] || continue
    was_read=true
    formats=$(sed -n 's/^format \(.\)/\1/p' <<<"$text")
    mongod=$(awk 'after && /^[0-9]+\.[0-9]+\.[0-9]+/ { print; exit } $0 != "" { after = $0 == "version" }' <<<"$text")
    return
  done
}

# The last fix of each minor version of Qdrant: an upgrade passes through each minor version.
qdrant_steps='1.9.7 1.10.1 1.11.5 1.12.6 1.13.6 1.14.1 1.15.5 1.16.3 1.17.1'

check_qdrant_data() {
  local volume=${compose_project}_qdrant-data image container from=0 to step='' each other
  runs_here HYPERION_QDRANT && $qdrant_filled || return 0
  image=$(setting QDRANT_IMAGE)
  to=$(number "$(version_of "$image")")
  container=$(docker ps --all --quiet --filter "volume=$volume" | head -n 1)
  [ -z "$container" ] || from=$(number "$(version_of "$(docker inspect --format '{{.Image}}' "$container")")")
  [ "$from" -ne 0 ] || [ -z "$container" ] || from=$(number "$(version_of "$(docker inspect --format '{{.Config.Image}}' "$container")")")
  if [ "$from" -eq 0 ] || [ "$to" -eq 0 ]; then
    not_checked "whether $image opens the data in $volume: no container or image here has a version"
  elif [ "$from" -gt "$to" ]; then
    found "$volume was last opened by Qdrant $((from / 1000)).$((from % 1000)), and $image is older" "$(set_to QDRANT_IMAGE "qdrant/qdrant:v$((from / 1000)).$((from % 1000)).0")"
  elif [ $((to - from)) -gt 1 ]; then
    step=$((from / 1000)).$((from % 1000 + 1)).0
    for each in $qdrant_steps; do [ "$(number "$each")" -ne $((from + 1)) ] || step=$each; done
    found "$volume was last opened by Qdrant $((from / 1000)).$((from % 1000)), and $image skips a minor version" \
      "QDRANT_IMAGE=qdrant/qdrant:v$step docker compose up --detach --wait qdrant, then this check again"
  fi
  # Qdrant's format version: 0.4.2 since before 1.0; Qdrant opens no other.
  if $was_read; then
    other=$(grep -vxF 0.4.2 <<<"$formats" | head -n 1) || true
    [ -z "$other" ] ||
      found "$volume holds a collection of format $other, but $image only opens 0.4.2: \"Try to use older version of Qdrant first\"" \
        "$(set_to QDRANT_IMAGE qdrant/qdrant:v0.11.7)"
  else
    not_checked "the format of the collections in $volume: $image is not here"
  fi
}

check_mongodb_data() {
  local volume=${compose_project}_mongodb-data image from=$mongod to running login
  runs_here HYPERION_MONGODB && $mongodb_filled || return 0
  image=$(setting MONGODB_IMAGE)
  to=$(version_of "$image" mongo)
  if [ -z "$from" ] || [ "$to" = 0 ]; then
    not_checked "whether $image opens the data in $volume: the image is not here, or the data has no version"
  elif [ "${from%%.*}" -gt "${to%%.*}" ]; then
    found "$volume was last opened by MongoDB $from, and $image is older" "$(set_to MONGODB_IMAGE "mongo:$(cut -d. -f1,2 <<<"$from")")"
  elif [ $((${to%%.*} - ${from%%.*})) -gt 1 ]; then
    found "$volume was last opened by MongoDB $from, and $image skips a major version" "$(set_to MONGODB_IMAGE "mongo:$((${from%%.*} + 1)).0"), then as COMPOSE.md says, \"Another version of a database\""
  fi

  running=$(docker ps --quiet --filter "label=com.docker.compose.project=$compose_project" --filter label=com.docker.compose.service=mongodb)
  login=$(value MONGODB_URI)
  if [ -z "$running" ]; then
    [ -z "$(value MONGODB_PASSWORD)$(value MONGODB_USERNAME)$login" ] ||
      not_checked "whether MONGODB_USERNAME and MONGODB_PASSWORD are the login in $volume: MongoDB does not run"
  elif ! HYPERION_LOGIN=${login:-mongodb://$(setting MONGODB_USERNAME):$(setting MONGODB_PASSWORD)@127.0.0.1:27017/?authSource=admin} \
    docker exec --env HYPERION_LOGIN --env ALL_PROXY= --env all_proxy= "$running" mongosh --nodb --quiet --eval 'connect(process.env.HYPERION_LOGIN)' >/dev/null 2>&1; then
    found "MongoDB refuses MONGODB_USERNAME and MONGODB_PASSWORD: its volume keeps the login of the first start" \
      "write that login to .env, or change the login in the database first: COMPOSE.md, \"Settings\""
  fi
}

# check_tag: an older version can lack an image that the compose file names.
check_tag() {
  local tag name image said there='' missing=''
  tag=$(value HYPERION_TAG)
  [ -n "$tag" ] && [ "$tag" != latest ] || return 0
  while read -r name; do
    image=$(setting HYPERION_REGISTRY)/$name:$tag
    # The engine asks the registry, as for a pull.
    if said=$($compose --project-name check --file - config --resolve-image-digests <<<"services: { check: { image: '$image' } }" 2>&1); then
      there="$there $name"
    elif [[ $said == *"manifest unknown"* || $said == *"not found"* ]]; then
      missing="$missing $name"
    else
      not_checked "whether the registry has $image: $(tail -n 1 <<<"$said")"
      return
    fi
  done < <(sed -n 's|^ *image: [$]{HYPERION_REGISTRY:-[^}]*}/\([^:]*\):.*|\1|p' docker-compose.yml)
  if [ -n "$missing" ] && [ -z "$there" ]; then
    found "the registry has no HYPERION_TAG=$tag" "$(set_to HYPERION_TAG latest)"
  elif [ -n "$missing" ]; then
    found "the registry has no$missing at HYPERION_TAG=$tag: docker-compose.yml is newer than that version" "take docker-compose.yml from the tag v${tag#v} of its repository, or $(set_to HYPERION_TAG latest)"
  fi
}

check_earlier() {
  local name project old new to=''
  while read -r name project; do
    [ -z "$project" ] ||
      found "the container $name of an earlier compose file runs, and has the ports" "docker compose --project-name $project down"
  done < <(docker ps --filter 'name=^hyperion-(mcp-server|http-bridge|ui)$' --format '{{.Names}} {{.Label "com.docker.compose.project"}}')
  type earlier_volumes >/dev/null 2>&1 || return 0
  ! in_file COMPOSE_PROJECT_NAME || to="COMPOSE_PROJECT_NAME=$compose_project "
  while read -r old new; do
    if ! is_copied "$new"; then
      found "the volume $old of an earlier compose file holds data, but $new does not" "${to}scripts/copy-compose-volumes.sh ${old%_*_*}"
    fi
  done < <(earlier_volumes <<<"$volumes")
}

check_clients() {
  local file
  for file in .mcp.json .cursor/mcp.json .vscode/mcp.json "$HOME/.claude.json" "$HOME/.claude/settings.json" \
    "$HOME/.cursor/mcp.json" "$HOME/.codeium/windsurf/mcp_config.json" "$HOME/.config/Claude/claude_desktop_config.json" \
    "$HOME/Library/Application Support/Claude/claude_desktop_config.json"; do
    if [ -f "$file" ] && tr -d '\n' <"$file" | grep -Eq '"exec"[^]]*"hyperion-http-bridge"|exec -i[a-z]* hyperion-http-bridge'; then
      found "$file calls docker exec on hyperion-http-bridge, a container that has another name now; the MCP server speaks HTTP" \
        "in that file, in place of the command: \"type\": \"http\", \"url\": \"http://localhost:7778/mcp\""
    fi
  done
}

case ${1-} in
  --help | -h) usage && exit ;;
  --write) write=true && shift ;;
esac
case ${1-} in
  -*) echo "unknown option $1; see --help" >&2 && exit 2 ;;
esac
from=$PWD here=$(cd "$(dirname "${BASH_SOURCE[0]-}")" && pwd)
if [ -f "$here/lib/compose-volumes.sh" ]; then
  # shellcheck source=scripts/lib/compose-volumes.sh
  source "$here/lib/compose-volumes.sh"
fi
[ -f "$here/docker-compose.yml" ] || here=$here/..
folder=${1-}
if [ $# -gt 1 ] || ! cd "${1:-$here}" 2>/dev/null; then
  echo "${1:-$here} is not a folder; see --help" >&2
  exit 2
fi
compose_file=''
if [ -f docker-compose.yml ]; then compose_file=$(<docker-compose.yml); else found "there is no docker-compose.yml in $PWD" "bash $0 FOLDER"; fi

read_env
# docker-compose.yml sets the default.
compose_project=$(value COMPOSE_PROJECT_NAME) compose_project=${compose_project:-hyperion}
has_docker=false answers=false snap=false mongodb_filled=false qdrant_filled=false volumes='' was_read=false formats='' mongod=''
look_at_docker

check_unknown
check_values
check_ports
check_folders
check_mongodb_login
check_elsewhere HYPERION_MONGODB MONGODB_URI mongodb
check_elsewhere HYPERION_QDRANT QDRANT_URL qdrant
check_elsewhere HYPERION_EMBEDDING TEI_URL embedding-service
check_embedding
check_images
check_override
! $has_docker || check_compose
if $answers; then
  check_machine
  check_earlier
  read_data
  check_qdrant_data
  check_mongodb_data
  check_tag
fi
check_clients

[ "${#notes[@]}" -eq 0 ] || printf 'not checked: %s\n' "${notes[@]}"
if [ "${#problems[@]}" -eq 0 ]; then
  echo "Nothing found: docker compose up --detach --wait"
  exit 0
fi
[ "$PWD" = "$from" ] || echo "In $PWD:"
printf -- '- %s\n' "${problems[@]}"
exit 1
