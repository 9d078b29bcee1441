#!/usr/bin/env bash
# Logs Docker in at production's registry by the access token in ACCESS_TOKEN (workflows; people use
# `gcloud auth configure-docker`).
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [ -z "${ACCESS_TOKEN:-}" ]; then
  echo "ACCESS_TOKEN must be a Google access token, such as gcloud auth print-access-token prints" >&2
  exit 2
fi
region=$(node scripts/print-settings.ts production gcp:region)
docker login --username oauth2accesstoken --password-stdin "https://$region-docker.pkg.dev" <<<"$ACCESS_TOKEN"
