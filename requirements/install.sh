#!/usr/bin/env bash
# Installs what the machine lacks for the demo and the tests: system packages, then Python tools in .venv.
# Says what it will install before it does, and skips what is there.
set -euo pipefail
cd "$(dirname "$0")/.."

sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo

missing=()
while read -r package; do
  status=$(dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done < <(grep -v '^#' requirements/system.txt)

if [ ${#missing[@]} -gt 0 ]; then
  echo "Installing system packages: ${missing[*]}"
  $sudo apt-get -qq update
  DEBIAN_FRONTEND=noninteractive $sudo apt-get -qq install --no-install-recommends -y "${missing[@]}" >/dev/null
  # The lab starts HAProxy itself, where it needs it; the package's own service has nothing to do.
  if [[ " ${missing[*]} " == *" haproxy "* && -d /run/systemd/system ]]; then
    $sudo systemctl --quiet disable --now haproxy.service
  fi
fi

stamp=.venv/.installed
if ! cmp -s requirements/develop.txt "$stamp"; then
  echo "Installing $(wc -l <requirements/develop.txt) Python packages into .venv (requirements/develop.txt)"
  [ -x .venv/bin/pip ] || /usr/bin/python3 -m venv .venv
  .venv/bin/pip install --quiet --quiet --disable-pip-version-check --requirement requirements/develop.txt
  cp requirements/develop.txt "$stamp"
fi

stamp=.venv/.collections
if ! cmp -s requirements/collections.txt "$stamp"; then
  echo "Installing collections into .venv: $(grep -v -e '^#' -e '==' requirements/collections.txt | xargs) (requirements/collections.txt)"
  .venv/bin/python requirements/install_collections.py requirements/collections.txt
  cp requirements/collections.txt "$stamp"
fi
