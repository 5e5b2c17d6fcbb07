#!/usr/bin/env bash
# Runs ansible-test sanity on a copy of what the collection consists of: it wants a real ansible_collections directory.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$root/.cache/sanity
target=$(tests/collection.sh sanity)
mkdir -p "$work/home/.ansible/test/cache"

# ansible-test makes environments of its own and would download a bootstrap of pip for them; Python has one.
for version in $(.venv/bin/python - <<'PYTHON'
from ansible_test._internal.python_requirements import get_venv_packages
from ansible_test._internal.host_configs import VirtualPythonConfig

print(get_venv_packages(VirtualPythonConfig(version="3.11"))["pip"].replace(".", "_"))
PYTHON
); do
  echo "import ensurepip; ensurepip.bootstrap()" >"$work/home/.ansible/test/cache/get_pip_$version.py"
done

cd "$target"
# Pythons of the distribution only: version managers put commands on the path that need not work.
HOME=$work/home PATH=$root/.venv/bin:/usr/bin:/bin ansible-test sanity --color no "$@"
