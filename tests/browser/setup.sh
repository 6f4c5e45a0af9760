#!/bin/sh
# Installs Debian's Chromium for the tests of the report page, where there is none and where that is possible:
# as root, with apt-get. Elsewhere those tests are skipped, and say so.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing Chromium for the tests of the report page (once)"
    export DEBIAN_FRONTEND=noninteractive
    if apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends chromium >/dev/null; then
        exit 0
    fi
    echo "Chromium could not be installed" >&2
fi
echo "no Chromium here: the tests of the report page will be skipped" >&2
