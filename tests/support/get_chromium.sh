#!/usr/bin/env bash
# Debian's chromium, for the browser tests: installed when it is missing and this is root with
# apt-get. Never fails: without it those tests are skipped, and that is said loudly, here and there.
set -u

has() { command -v "$1" >/dev/null 2>&1; }

has chromium || has chromium-browser && exit 0

loud() {
  echo "***" >&2
  echo "*** NO BROWSER: $1, so the browser tests will be skipped." >&2
  echo "*** To run them: apt-get install chromium" >&2
  echo "***" >&2
  exit 0
}

has apt-get || loud "there is no apt-get here"
[ "$(id -u)" = 0 ] || loud "only root may install it"

echo "Installing Debian's chromium for the browser tests." >&2
export DEBIAN_FRONTEND=noninteractive
fetch=(-qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{
  timeout 120 apt-get "${fetch[@]}" update
  timeout 600 apt-get "${fetch[@]}" install -y --no-install-recommends chromium fonts-dejavu-core
} >"$log" 2>&1
has chromium || {
  tail -n 3 "$log" >&2
  loud "apt-get could not install it"
}
