#!/usr/bin/env bash
# What a container does: serve | dispatch | migrate | user ... | ray-head | ray-worker, or any other program.
set -euo pipefail
mkdir -p "${HOME:?}"

# A password in a file (a mounted secret) becomes the setting it is for: KARYAKSHAM_SECRET_KEY_FILE=/run/secrets/key.
for name in $(compgen -e | grep -E '^(KARYAKSHAM|RAY)_.*_FILE$' || true); do
    export "${name%_FILE}=$(<"${!name}")"
    unset "$name"
done

# A driver needs a raylet beside it: one that joins the cluster and offers no cores, so that no task runs here.
join() {
    : "${KARYAKSHAM_RAY_ADDRESS:?the address of the Ray head, such as ray-head:6379}"
    local deadline=$((SECONDS + ${KARYAKSHAM_RAY_WAIT_S:-120}))
    until ray start --address "$KARYAKSHAM_RAY_ADDRESS" --disable-usage-stats "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "entrypoint: Ray at $KARYAKSHAM_RAY_ADDRESS can't be reached" >&2; exit 1; }
        sleep 2
    done
}

case "${1:?serve, dispatch, migrate, user, ray-head or ray-worker}" in
serve | migrate | user)
    exec karyaksham "$@"
    ;;
dispatch)
    join --num-cpus 0
    exec karyaksham "$@"
    ;;
ray-head)
    shift
    # Tasks belong on workers: a head that runs out of memory takes the cluster with it.
    exec ray start --head --block --port 6379 --num-cpus 0 --dashboard-host 0.0.0.0 --metrics-export-port 8080 \
        --disable-usage-stats "$@"
    ;;
ray-worker)
    shift
    join --block --metrics-export-port 8080 "$@"
    ;;
*)
    exec "$@"
    ;;
esac
