#!/usr/bin/env bash
# Runs ansible-test units with every supported Python that this machine has: the plugins' tests, with no more of Ansible
# than each kind of plugin finds on a host. Says which Python ran.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
target=$(tests/collection.sh units)

version_of() {
  "$1/python" -c 'import sys; print("{}.{}".format(*sys.version_info))'
}

run() {
  echo "== unit tests of the plugins with $("$1/python" --version)"
  local options=(--color no --python "$(version_of "$1")")
  (cd "$target" && HOME=$root/.cache/units PATH=$1:/usr/bin:/bin ansible-test units "${options[@]}" "${@:2}")
}

run "$root/.venv/bin" "$@"
own=$(version_of .venv/bin)
for version in 3.12 3.13; do
  if [ "$version" != "$own" ] && "python$version" -c 'import ensurepip' 2>/dev/null; then
    environment=.cache/python$version
    if ! cmp -s requirements/develop.txt "$environment/.installed"; then
      "python$version" -m venv "$environment"
      "$environment/bin/pip" install --quiet --quiet --disable-pip-version-check --requirement requirements/develop.txt
      cp requirements/develop.txt "$environment/.installed"
    fi
    run "$root/$environment/bin" "$@"
  fi
done
