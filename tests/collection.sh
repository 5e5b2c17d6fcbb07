#!/usr/bin/env bash
# Copies what the collection consists of into .cache/NAME: ansible-test wants a real ansible_collections directory.
# Prints the copy's path.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
work=$root/.cache/$1
target=$work/ansible_collections/gatehouse/platform

rm -rf "$work/ansible_collections"
mkdir -p "$target"
git ls-files -z --cached --others --exclude-standard -- ':!.collections' ':!lab' ':!applications' ':!benchmarks' ':!molecule' | while IFS= read -r -d '' file; do
  [ -e "$file" ] && printf '%s\0' "$file"
done | tar --create --null --files-from=- | tar --extract --directory="$target"
# Documentation and utilities are read from there too.
ln -s "$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ansible_collections/amazon" "$work/ansible_collections/amazon"
git -C "$target" init --quiet .
git -C "$target" add --all
echo "$target"
