#!/bin/sh
# Puts Debian's Exim into .cache/exim, where test/servers/exim.ts runs it: installing it would replace Postfix.
# The library next to it provides the user that this Exim runs as, which the system may not have.
set -eu
cd "$(dirname "$0")/.."
[ ! -e .cache/exim/exim4 ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt fetches as another user
(cd "$work" && apt-get download -q exim4-daemon-light libnss-wrapper)
for package in "$work"/*.deb; do dpkg -x "$package" "$work"; done
if ldd "$work/usr/sbin/exim4" | grep 'not found'; then exit 1; fi

mkdir -p .cache/exim
cp "$work"/usr/lib/*/libnss_wrapper.so .cache/exim
cp "$work/usr/sbin/exim4" .cache/exim # last, and without the rights of its owner
