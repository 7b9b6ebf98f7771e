#!/usr/bin/env bash
# Checks for the programs that a purpose needs and installs their Debian packages when run as root.
# usage: debian-packages.sh build|check|test
set -euo pipefail

declare -A package_of=([gcc]=gcc [g++]=g++ [make]=make [python3]=python3 [chromium]=chromium [radosgw]=radosgw
    [ceph-mon]=ceph-mon [ceph-osd]=ceph-osd [ceph]=ceph-common [promtool]=prometheus [kubectl]=kubernetes-client
    [redis-server]=redis-server)
case "${1:?build, check or test}" in
build) programs="gcc make python3" ;;
check) programs="gcc make python3 promtool kubectl" ;;
test) programs="gcc g++ make python3 chromium radosgw ceph-mon ceph-osd ceph redis-server" ;;
*) echo "debian-packages: unknown purpose $1" >&2; exit 2 ;;
esac

packages=()
for program in $programs; do
    command -v "$program" >/dev/null || packages+=("${package_of[$program]}")
done
python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
# Debian keeps the server's programs off the PATH.
if [ "$1" = test ] && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && ! command -v initdb >/dev/null; then
    packages+=(postgresql)
fi

if [ ${#packages[@]} -gt 0 ]; then
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "These programs are missing; install them first: sudo apt-get install ${packages[*]}" >&2
        exit 1
    fi
    echo "==> packages: installing ${packages[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

for program in cargo node npm; do
    command -v "$program" >/dev/null && continue
    echo "$program is missing: install Rust 1.94+ (rustup) and Node 20+ first." >&2
    exit 1
done
