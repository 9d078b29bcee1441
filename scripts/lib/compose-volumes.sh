# shellcheck shell=bash
# Sourced: which volumes an earlier compose file left, and which of today's take their data.

# On a volume that copy-compose-volumes.sh filled: the name of the one that its data is from.
copied_label=hyperion.copied-from
# Compose's own variable for the name that docker-compose.yml gives the project.
compose_project=${COMPOSE_PROJECT_NAME:-hyperion}

# earlier_volumes: each volume of an earlier compose file, a space, and today's volume, one pair a line.
earlier_volumes() {
  docker volume ls --format '{{.Name}}' | sed -n \
    -e "s/^\(.*_mongodb_data\)\$/\1 ${compose_project}_mongodb-data/p" \
    -e "s/^\(.*_mongodb_config\)\$/\1 ${compose_project}_mongodb-config/p" \
    -e "s/^\(.*_qdrant_data\)\$/\1 ${compose_project}_qdrant-data/p"
}

# is_copied VOLUME: whether today's volume holds an earlier one's data.
is_copied() {
  [ -n "$(docker volume inspect --format "{{with .Labels}}{{index . \"$copied_label\"}}{{end}}" "$1" 2>/dev/null)" ]
}
