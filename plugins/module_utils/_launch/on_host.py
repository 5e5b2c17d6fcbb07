# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings an instance that Auto Scaling launched to what its fleet runs, and tells Auto Scaling when it is there.

Runs on the instance, from its user data, with Debian's Python and boto3. What was published is fetched and verified;
``apply.py`` of the collection that is among it does the rest. No visitor comes here until the life-cycle action is
completed. When the instance does not get there, its log is saved and it is given up.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

DATA = "/var/lib/gatehouse"
DONE = f"{DATA}/launched"
LOCK = "/run/gatehouse-launch/lock"
LOG = "/var/log/gatehouse-launch.log"
OURS = f"{DATA}/collections/ansible_collections/gatehouse/platform"
METADATA = "http://169.254.169.254/latest"
# An apt that was killed is repaired first; at boot others use it as well.
REPAIR = "dpkg --configure --pending --force-confdef --force-confold"
APT = "apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0"
FORMAT, ATTEMPTS = 1, 2
MISSING = ("NoSuchKey", "NoSuchBucket", "AccessDenied")
LOOK, PAUSE, APPLY = 3, 10, 1800  # seconds


def say(text: str) -> None:
    """To the journal, and to the log that is saved when the instance is given up."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
    with open(os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%H:%M:%S')} {text}\n")


@contextlib.contextmanager
def phase(name: str) -> Iterator[None]:
    """Says how long something took."""
    began = time.monotonic()
    yield
    say(f"{name}: {time.monotonic() - began:.1f} s")


def run(*command: str, seconds: int = 900) -> None:
    """Run a program, for so long at most; its output is said."""
    whole = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    limited = ["timeout", str(seconds), *command]
    with subprocess.Popen(limited, env=whole, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            say(line.rstrip())
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with status {process.returncode}")


def install(packages: list[str]) -> None:
    """What it takes to read the release store, and what the roles would install one after the other."""
    for left in reversed(range(6)):
        if subprocess.run(["dpkg-query", "--show", *packages], check=False, capture_output=True).returncode == 0:
            return
        try:
            wanted = f"install --yes --no-install-recommends {' '.join(packages)}"
            run("sh", "-c", f"{REPAIR} && {APT} update && {APT} {wanted}")
        except RuntimeError:
            if not left:
                raise
            time.sleep(PAUSE)


def metadata(path: str) -> str:
    """What EC2 says of this instance (IMDSv2)."""
    lifetime = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
    token = _ask(urllib.request.Request(f"{METADATA}/api/token", method="PUT", headers=lifetime))
    return _ask(urllib.request.Request(f"{METADATA}/meta-data/{path}", headers={"X-aws-ec2-metadata-token": token}))


def _ask(request: urllib.request.Request) -> str:
    with urllib.request.build_opener().open(request, timeout=10) as answer:
        return str(answer.read().decode())


class Account:
    """AWS as this instance may use it."""

    def __init__(self, settings: dict[str, Any]) -> None:
        import boto3
        from botocore.config import Config

        self.settings = settings
        self.instance = metadata("instance-id")
        config = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 8, "mode": "standard"})
        region, endpoint = metadata("placement/region"), os.environ.get("AWS_ENDPOINT_URL")
        # Older versions of boto3 do not look for an endpoint by themselves.
        self.s3 = boto3.client("s3", config=config, region_name=region, endpoint_url=endpoint)
        self.scaling = boto3.client("autoscaling", config=config, region_name=region, endpoint_url=endpoint)

    def get(self, key: str) -> bytes:
        """An object of the release store."""
        return bytes(self.s3.get_object(Bucket=self.settings["bucket"], Key=key)["Body"].read())

    def save_log(self) -> None:
        """Leave the log where operators find it."""
        bucket, key = self.settings["bucket"], f"logs/{self.settings['fleet']}/{self.instance}.log"
        with open(LOG, "rb") as file:
            self.s3.put_object(Bucket=bucket, Key=key, Body=file.read())

    def action(self) -> dict[str, str]:
        """Names the life-cycle action that holds this instance."""
        group, hook = self.settings["group"], self.settings["hook"]
        return {"AutoScalingGroupName": group, "LifecycleHookName": hook, "InstanceId": self.instance}

    def heartbeats(self, over: threading.Event) -> None:
        """Prolong the life-cycle action until ``over``."""
        while not over.wait(self.settings["heartbeat"]):
            with contextlib.suppress(Exception):
                self.scaling.record_lifecycle_action_heartbeat(**self.action())

    def complete(self, result: str) -> None:
        """Tell Auto Scaling; an action that is not there any more was ended by somebody else."""
        try:
            self.scaling.complete_lifecycle_action(LifecycleActionResult=result, **self.action())
        except self.scaling.exceptions.ClientError as error:
            if "No active Lifecycle Action" not in str(error):
                raise
            say("no life-cycle action holds this instance")


def published(account: Account, lock: int, done: bytes | None = None) -> bytes:
    """The manifest; what is ``done`` already where nobody tells another soon.

    While there is none, operators may configure this instance: its platform is just being built. S3 denies access to
    what is missing, and IAM does so for a while where a role is new.
    """
    key, end = f"{account.settings['fleet']}/current.json", time.monotonic() + account.settings["wait"]
    told, failures = "", 0
    while True:
        try:
            found = account.get(key)
            fcntl.flock(lock, fcntl.LOCK_EX)
            return found
        except Exception as error:
            failures += 1
            if done is not None and failures == ATTEMPTS:
                say(f"{key} cannot be read again, and what it told before is here: {error}")
                return done
            if time.monotonic() > end:
                raise RuntimeError(f"{key} was not there for {account.settings['wait']} seconds: {error}") from error
            if told != (told := str(error)):
                say(f"waits for {key}: {error}")
            if done is None and code_of(error) in MISSING:
                fcntl.flock(lock, fcntl.LOCK_UN)
        time.sleep(LOOK)


def code_of(error: Exception) -> str:
    """AWS's code of an error; empty for one that AWS has not told."""
    return str((getattr(error, "response", None) or {}).get("Error", {}).get("Code", ""))


def verified(account: Account, told: dict[str, str]) -> bytes:
    """An object that the manifest names, which has to be what was published."""
    data = account.get(told["key"])
    if hashlib.sha256(data).hexdigest() != told["sha256"]:
        raise RuntimeError(f"{told['key']} is not what was published: its SHA-256 is not the manifest's")
    return data


def fetch(account: Account, text: bytes) -> None:
    """Put what was published in place: collection, releases and manifest."""
    manifest = json.loads(text)
    if manifest.get("format") != FORMAT:
        raise RuntimeError(f"the manifest is of format {manifest.get('format')}, and this instance knows {FORMAT}")
    shutil.rmtree(OURS, ignore_errors=True)
    with tarfile.open(fileobj=io.BytesIO(verified(account, manifest["collection"]))) as tar:
        # Where this Python knows it: nothing outside of the directory, no links, no devices.
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(OURS)
    for name, told in manifest["releases"].items():
        write(f"{DATA}/releases/{name}", verified(account, told))
    write(f"{DATA}/manifest.json", text)


def write(path: str, data: bytes) -> None:
    """For root alone."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)


def bring(account: Account, lock: int) -> None:
    """Apply what is published, and what was published meanwhile."""
    done: bytes | None = None
    failures = 0
    while done != (text := published(account, lock, done)):
        if not (wrong := apply(account, text)):
            done = text
            continue
        failures += 1
        if failures == ATTEMPTS:
            raise RuntimeError(wrong)
        say(f"tries again: {wrong}")
        time.sleep(PAUSE)


def apply(account: Account, text: bytes) -> str:
    """What went wrong, or an empty text."""
    try:
        with phase("fetch and verify"):
            fetch(account, text)
        run("/usr/bin/python3", f"{OURS}/plugins/module_utils/_launch/apply.py", DATA, seconds=APPLY)
    except Exception as error:
        return str(error) or type(error).__name__
    return ""


def launch(settings: dict[str, Any], lock: int) -> int:
    """The exit status. Without boto3 nobody can be told, and the life-cycle action ends by its own time."""
    with phase("install"):
        install(settings["packages"])
    account, over = Account(settings), threading.Event()
    threading.Thread(target=account.heartbeats, args=(over,), daemon=True).start()
    result = "CONTINUE"
    try:
        bring(account, lock)
    except Exception as error:
        result = "ABANDON"
        say(f"This instance is given up: {error}")
        with contextlib.suppress(Exception):
            account.save_log()
    over.set()
    account.complete(result)
    if result == "CONTINUE":
        write(DONE, b"")
    return int(result == "ABANDON")


def main() -> int:
    """Take the lock, let whoever started this go on, and work."""
    lock = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ready:
        ready.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
    with open(sys.argv[1], encoding="utf-8") as file:
        return launch(json.load(file), lock)


if __name__ == "__main__":
    raise SystemExit(main())
