#!/bin/sh
# Licences, banned crates and sources of everything in Cargo.lock, and known vulnerabilities where their database can be
# fetched. Installs cargo-deny into the folder $1 (default: target/cargo-deny) unless it is on the path.
set -eu
cd "$(dirname "$0")/.."
# Pinned: another release may judge otherwise.
version=0.20.2
deny=$(command -v cargo-deny || true)
if [ -z "$deny" ]; then
  root=${1:-target/cargo-deny}
  deny=$root/bin/cargo-deny
  [ -x "$deny" ] || cargo install --quiet --locked --no-default-features --root "$root" "cargo-deny@$version"
fi
"$deny" check --hide-inclusion-graph licenses bans sources
database=https://github.com/rustsec/advisory-db
if timeout 30 git ls-remote --exit-code "$database" HEAD >/dev/null 2>&1; then
  "$deny" check --hide-inclusion-graph advisories
else
  echo "SKIPPED: $database cannot be reached; known vulnerabilities are not looked up"
fi
