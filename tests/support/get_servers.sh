#!/usr/bin/env bash
# The servers that teams have, for `make production`: Debian's PostgreSQL, Redis with Sentinel,
# Valkey where Debian has it, pgbouncer, nginx and Caddy. Installed when missing and this is root
# with apt-get; none of them is started. Never fails: what is missing is said loudly, here and by
# each test that it skips.
set -u

wanted=(postgresql redis-server redis-sentinel valkey-server pgbouncer nginx caddy)

has() {
  case "$1" in
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] ;;
  esac
}

missing() { for one in "${wanted[@]}"; do has "$one" || echo "$one"; done; }

mapfile -t lacking < <(missing)
[ "${#lacking[@]}" = 0 ] && exit 0

if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
  export DEBIAN_FRONTEND=noninteractive
  fetch=(-qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20)
  timeout 120 apt-get "${fetch[@]}" update >/dev/null 2>&1
  for one in "${lacking[@]}"; do
    [ "$one" = nginx ] && package=nginx-light || package=$one
    apt-cache show "$package" >/dev/null 2>&1 || continue
    echo "Installing Debian's $package for the production tests." >&2
    # policy-rc.d answers that nothing may be started: the tests start their own.
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] && mine=no || { mine=yes; printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; }
    timeout 600 apt-get "${fetch[@]}" install -y --no-install-recommends "$package" >/dev/null 2>&1
    [ "$mine" = yes ] && rm -f "$policy"
  done
fi

mapfile -t lacking < <(missing)
for one in "${lacking[@]}"; do
  echo "*** NO ${one^^}: it could not be installed here, so the tests that need it will be skipped." >&2
done
exit 0
