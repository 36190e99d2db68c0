#!/bin/sh
# Runs every check and every test; the last line is "N passed, N failed". Called by `./cordon test`.
# Arguments name suites (static unit db console timed e2e); none means all.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
PATH="$root/node_modules/.bin:$PATH"
export PATH

packages='chromium redis-server sqlmap apache2 libapache2-mod-auth-openidc libapache2-mod-auth-mellon simplesamlphp php-cli dnsmasq-base'
missing=''
for package in $packages; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "cordon: installing Debian packages:$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null
    # shellcheck disable=SC2086 -- a list of package names
    apt-get install -y -qq --no-install-recommends $missing >/dev/null 2>&1
  else
    echo "cordon: the browser tests need these Debian packages:$missing. Run as root: apt-get install$missing" >&2
  fi
fi

exec node "$root/tools/run-suites.ts" "$@"
