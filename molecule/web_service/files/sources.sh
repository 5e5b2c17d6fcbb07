#!/bin/sh
# sources.sh FILES TARGET: makes TARGET/repository, tagged v1.2.0, and TARGET/large.tar.gz of more than 512 KiB.
set -eu
rm -rf "$2"
mkdir -p "$2/large"
cp -R "$1/asgi" "$2/repository"
git="git -C $2/repository -c user.name=test -c user.email=test@example.test"
$git init --quiet
$git add app.py
$git commit --quiet --message "First version"
$git tag v1.2.0
echo "raise RuntimeError('not the tag')" > "$2/repository/app.py"
$git commit --quiet --all --message "Not to be deployed"
cp "$1/command/serve.py" "$2/large"
head -c 700000 /dev/urandom > "$2/large/padding"
tar -C "$2" -czf "$2/large.tar.gz" large
