#!/bin/sh
# Puts Debian's tinyproxy and microsocks into .cache/proxies, where test/servers/real-proxies.ts runs them: installing
# tinyproxy would start a service.
set -eu
cd "$(dirname "$0")/.."
[ ! -e .cache/proxies/tinyproxy ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt fetches as another user
(cd "$work" && apt-get download -q tinyproxy-bin microsocks)
for package in "$work"/*.deb; do dpkg -x "$package" "$work"; done
if ldd "$work/usr/bin/tinyproxy" "$work/usr/bin/microsocks" | grep 'not found'; then exit 1; fi

mkdir -p .cache/proxies
cp "$work/usr/bin/microsocks" .cache/proxies
cp "$work/usr/bin/tinyproxy" .cache/proxies # last, as a sign that all is there
