# shellcheck shell=bash
# Sourced: maps the volumes of an earlier compose file to the current ones.

# Label on a volume that copy-compose-volumes.sh filled: the volume that the data comes from.
copied_label=hyperion.copied-from
# Compose reads this variable too; docker-compose.yml sets the default.
compose_project=${COMPOSE_PROJECT_NAME:-hyperion}

# earlier_volumes: reads names of volumes from standard input. Prints OLD NEW for each volume of an earlier compose file.
earlier_volumes() {
  sed -n \
    -e "s/^\(.*_mongodb_data\)\$/\1 ${compose_project}_mongodb-data/p" \
    -e "s/^\(.*_mongodb_config\)\$/\1 ${compose_project}_mongodb-config/p" \
    -e "s/^\(.*_qdrant_data\)\$/\1 ${compose_project}_qdrant-data/p"
}

# is_copied VOLUME: whether a current volume holds the data of an earlier one.
is_copied() {
  [ -n "$(docker volume inspect --format "{{with .Labels}}{{index . \"$copied_label\"}}{{end}}" "$1" 2>/dev/null)" ]
}
