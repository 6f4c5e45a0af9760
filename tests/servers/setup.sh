#!/usr/bin/env bash
# Installs what the tests of object stores run against: Azurite (npm, into .venv) and nginx (Debian). moto comes
# with pip. Quiet, and quick when all is there. What cannot be had is named and left out: its tests are skipped,
# and fail under CI=true.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
azurite=$(realpath -m ../../.venv/azurite)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

quietly() {
    "$@" >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; return 1; }
}

install_from_debian() {
    if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
        echo "only root can install $* here, with apt-get" >&2
        return 1
    fi
    local policy=/usr/sbin/policy-rc.d status=0
    if [[ ! -e $policy ]]; then # or Debian starts a service on port 80
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
        trap 'rm -f "$log" /usr/sbin/policy-rc.d' EXIT
    fi
    quietly apt-get update -qq || status=$?
    DEBIAN_FRONTEND=noninteractive \
        quietly apt-get install -y -qq --no-install-recommends "$@" || status=$?
    return $status
}

install_azurite() {
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        install_from_debian nodejs npm || return 1
    fi
    mkdir -p "$azurite"
    cp package.json package-lock.json "$azurite"
    quietly npm ci --prefix "$azurite" --ignore-scripts --no-audit --no-fund --loglevel=error || return 1
    cp package-lock.json "$azurite/.installed"
}

if ! cmp -s package-lock.json "$azurite/.installed" || ! command -v node >/dev/null; then
    echo "installing Azurite, to test against (once, some hundred MB)"
    install_azurite || echo "left out: Azurite. The tests of az:// will not run" >&2
fi

if ! PATH="$PATH:/usr/sbin" command -v nginx >/dev/null; then
    echo "installing nginx, to test against (once)"
    install_from_debian nginx-light || echo "left out: nginx. The tests of http:// will not run" >&2
fi
