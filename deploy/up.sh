#!/usr/bin/env bash
# Everything of deploy/compose.yaml, up and healthy; secrets are made the first time, in deploy/.env (0600).
# usage: deploy/up.sh [arguments of docker compose up]
set -euo pipefail
cd "$(dirname "$0")"
if [ ! -f .env ]; then
    (
        umask 077
        for name in KARYAKSHAM_SECRET_KEY KARYAKSHAM_METRICS_TOKEN POSTGRES_PASSWORD REDIS_PASSWORD RAY_AUTH_TOKEN \
            OBJECT_SECRET_KEY GRAFANA_PASSWORD; do
            echo "$name=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')"
        done >.env.new
    )
    mv .env.new .env
fi
# Prometheus reads its token from a file, as a user of its own.
mkdir -p secrets
sed -n 's/^KARYAKSHAM_METRICS_TOKEN=//p' .env | tr -d '\n' >secrets/metrics_token
chmod 0644 secrets/metrics_token
exec docker compose up --build --detach --wait "$@"
