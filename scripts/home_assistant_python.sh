#!/usr/bin/env bash
# Puts a Home Assistant beside the system, for scripts/validate_discovery.py: prints the program to run Python with it.
#
#     python=$(scripts/home_assistant_python.sh DIRECTORY)
#     "$python" scripts/validate_discovery.py
#
# Home Assistant 2026.11 needs Python 3.14.2, Debian 12 has 3.11. So the Python of a newer Debian, with its own C
# library and loader, is fetched by apt-get with lists and caches of its own below DIRECTORY and unpacked there: nothing
# is installed, the system's lists stay as they are, and no root is needed. Home Assistant's version is pinned, with the
# checksum of its wheel; its dependencies have the versions that it pins itself, as wheels only. Another version, without
# a checksum: HOME_ASSISTANT_VERSION.
#
# The second call finds everything there. Where no mirror has that Python any more, set ECGID_PYTHON_SUITE to a suite of
# Debian that has it, or HOME_ASSISTANT_PYTHON to any Python that is new enough.
set -euo pipefail
directory=$(mkdir -p "$1" && cd "$1" && pwd)

version=${HOME_ASSISTANT_VERSION:-2026.11.0}
checksum=sha256:7ca5fbde9dea879ac7723949fc84347aac5182e6309c357b2e4973fd391b00f7
suite=${ECGID_PYTHON_SUITE:-forky}
package=python3.14
# What the core and its MQTT integration import. Without the rest of the wheel's requirements: some are built from
# source, and none is asked for.
needed=(aiodns aiogithubapi aiohasupervisor==0.11.0 aiohttp aiohttp_cors aiohttp-asyncmdnsresolver aiohttp-fast-zlib
  aiozoneinfo annotatedyaml astral async-interrupt atomicwrites-homeassistant attrs awesomeversion bcrypt certifi
  ciso8601 cronsim cryptography fnv-hash-fast hass-nabucasa httpx2 ifaddr Jinja2 lru-dict orjson packaging paho-mqtt
  Pillow probatio propcache psutil-home-assistant PyJWT pyserial python-slugify PyYAML requests securetar serialx
  SQLAlchemy typing-extensions ulid-transform voluptuous==0.16.0 voluptuous-serialize==2.7.0 webrtc-models yarl zeroconf
  jsonschema==4.26.0)

launcher=$directory/python
if [ -e "$directory/complete-$version" ]; then
  echo "$launcher"
  exit
fi

if [ -n "${HOME_ASSISTANT_PYTHON:-}" ]; then
  run="exec \"$HOME_ASSISTANT_PYTHON\""
else
  apt=$directory/apt
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
  : >"$apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" \
    >"$apt/sources.list"
  # An empty status makes apt fetch every dependency, the C library included.
  cat >"$apt/apt.conf" <<EOF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "-";
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Acquire::Languages "none";
APT::Sandbox::User "";
EOF
  export APT_CONFIG=$apt/apt.conf
  {
    apt-get update -qq
    apt-get install -qq -y --download-only --no-install-recommends "$package"
  } >&2
  for archive in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$archive" "$directory/debian"; done
  libraries=$(dirname "$(find "$directory/debian/usr/lib" -name 'libc.so.6' | head -n 1)")
  loader=$(find "$libraries" -name 'ld-linux*.so.*' | head -n 1)
  run="exec \"$loader\" --library-path \"$libraries\" \"$directory/debian/usr/bin/$package\""
fi
cat >"$launcher" <<EOF
#!/bin/sh
export PYTHONPATH="$directory/core:$directory/site:$directory/pip"
$run "\$@"
EOF
chmod +x "$launcher"

# That Python comes without pip; pip's own wheel runs as it is.
"${ECGID_PYTHON:-python3}" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
  --dest "$directory" pip >&2
mkdir -p "$directory/pip"
"$launcher" -m zipfile -e "$directory"/pip-*.whl "$directory/pip"
install=("$launcher" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --only-binary=:all:
  --no-compile --upgrade)
if [ -z "${HOME_ASSISTANT_VERSION:-}" ]; then
  echo "homeassistant==$version --hash=$checksum" >"$directory/pinned.txt"
else
  echo "homeassistant==$version" >"$directory/pinned.txt"
fi
"${install[@]}" --target "$directory/core" --no-deps -r "$directory/pinned.txt" >&2
"${install[@]}" --target "$directory/site" --constraint "$directory/core/homeassistant/package_constraints.txt" \
  "${needed[@]}" >&2
touch "$directory/complete-$version"
echo "$launcher"
