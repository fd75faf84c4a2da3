#!/bin/sh
# Licences, banned crates, sources and known vulnerabilities of everything in Cargo.lock. Installs cargo-deny into the
# folder $1 (default: target/cargo-deny) unless the pinned version is on the path. Where RustSec's database cannot be
# reached, advisories are held against what scripts/advisories/ knows of it; either way one that is made up must be found.
set -eu
cd "$(dirname "$0")/.."
# Pinned: another release may judge otherwise.
version=0.20.2
is_pinned() { [ "$("$1" --version 2>/dev/null)" = "cargo-deny $version" ]; }
deny=$(command -v cargo-deny || true)
if ! is_pinned "$deny"; then
  root=${1:-target/cargo-deny}
  deny=$root/bin/cargo-deny
  is_pinned "$deny" ||
    # Unoptimised: it runs for seconds and would be built for minutes.
    cargo install --quiet --locked --force --debug --no-default-features --root "$root" "cargo-deny@$version"
fi
# Without --workspace the trainer's dependencies would not be looked at.
"$deny" --locked --workspace check --hide-inclusion-graph licenses bans sources

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Without these dash ends at a signal without coming by EXIT.
trap 'exit 130' INT
trap 'exit 143' TERM
database=https://github.com/RustSec/advisory-db
# advisories NAME [FILE://REPOSITORY]: the check against one database, in a folder of its own.
advisories() {
  { cat deny.toml && echo; } | sed "s|^\[advisories\]|&\ndb-path = \"$scratch/$1\"${2:+\ndb-urls = [\"$2\"]}|" >"$scratch/$1.toml"
  "$deny" --locked --workspace --config "$scratch/$1.toml" check --hide-inclusion-graph advisories
}
# cargo-deny demands a host in the address of a database, and git passes over it where the scheme is file.
python3 scripts/advisories/database.py "$scratch/made-up" --with tokio >/dev/null
if advisories made-up-check "file://local.invalid$scratch/made-up" >"$scratch/said" 2>&1 ||
  ! grep -q RUSTSEC-2026-9999 "$scratch/said"; then
  cat "$scratch/said"
  echo "advisories: the one that was made up against tokio was not found: this check finds nothing"
  exit 1
fi
if timeout 30 git ls-remote --exit-code "$database" HEAD >/dev/null 2>&1; then
  advisories current
else
  echo "$database cannot be reached: newer advisories are not seen"
  python3 scripts/advisories/database.py "$scratch/known"
  advisories known-check "file://local.invalid$scratch/known"
fi
