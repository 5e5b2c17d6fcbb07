# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A platform on a lab of its own: change what is declared, run playbooks, ask the services."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.model import ROOT, lab_directory

BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Run:
    """A finished run of a playbook."""

    status: int
    output: str
    seconds: float

    def count(self, word: str) -> int:
        """Sum over all hosts of one column of the recap, for example ``changed``."""
        return sum(int(number) for number in re.findall(rf"\b{word}=(\d+)", self.output))


@dataclass
class Answer:
    """An answer of a service over HTTP."""

    status: int
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Platform:
    """The system "subdomains" declared in ``folder``, on the hosts of the lab ``name``."""

    name: str
    folder: Path
    domain: str = "example.test"
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """Where the lab keeps its inventory, keys and roots."""
        return lab_directory(self.name)

    @property
    def hosts(self) -> dict[str, Any]:
        """What hosts.json says."""
        state: dict[str, Any] = json.loads((self.state / "hosts.json").read_text(encoding="utf-8"))
        return state

    @property
    def address(self) -> str:
        """The address that the public names lead to."""
        return str(self.hosts["zones"][self.domain])

    @property
    def declaration(self) -> Path:
        """The file with the list of services."""
        return self.folder / "inventory/subdomains/group_vars/all.yml"

    @property
    def inventories(self) -> list[str]:
        """Options that every ansible command takes."""
        return ["--inventory", f"{self.folder}/inventory/subdomains", "--inventory", f"{self.state}/inventory"]

    def declare_afresh(self) -> None:
        """Start from the checkout's own declaration and applications."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for part in ("inventory", "applications"):
            shutil.copytree(ROOT / part, self.folder / part, ignore=shutil.ignore_patterns("__pycache__", "tests"))

    def add_to_code(self, service: str, text: str) -> None:
        """Add to the code of a service."""
        path = self.folder / "applications" / service / "app.py"
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    def copy_code(self, service: str) -> None:
        """Take the code of a service from the checkout again."""
        shutil.copy(ROOT / "applications" / service / "app.py", self.folder / "applications" / service / "app.py")

    def up(self, hosts: str = "bastion,web", bare: bool = False) -> None:
        """Bring the lab up; ``bare`` begins with hosts that nothing was installed on."""
        if bare:
            self.lab("down")
        self.lab("up", "--hosts", hosts)

    def lab(self, *arguments: str) -> None:
        """Run a command of the lab."""
        subprocess.run([sys.executable, "-m", "lab", *arguments, "--name", self.name], cwd=ROOT, check=True)

    def change(self, edit: Callable[[dict[str, Any]], None]) -> None:
        """Edit what is declared."""
        variables = yaml.safe_load(self.declaration.read_text(encoding="utf-8"))
        edit(variables)
        self.declaration.write_text(yaml.safe_dump(variables, sort_keys=False), encoding="utf-8")

    def command(self, program: str, *arguments: str) -> list[str]:
        """A program of ansible with the inventories."""
        return [str(BIN / program), *self.inventories, *arguments]

    def run(self, playbook: str, *arguments: str) -> Run:
        """Run a playbook of the collection, and keep its output as last-run.log."""
        began = time.monotonic()
        result = subprocess.run(
            self.command("ansible-playbook", str(ROOT / f"playbooks/{playbook}.yml"), *arguments),
            cwd=ROOT,
            env=self._environment(),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        (self.state / "last-run.log").write_text(result.stdout, encoding="utf-8")
        return Run(result.returncode, result.stdout, time.monotonic() - began)

    def succeed(self, playbook: str, *arguments: str) -> Run:
        """Run a playbook that has to succeed."""
        run = self.run(playbook, *arguments)
        assert run.status == 0, run.output[-6000:]
        return run

    def fail(self, playbook: str, *arguments: str) -> Run:
        """Run a playbook that has to fail."""
        run = self.run(playbook, *arguments)
        assert run.status != 0, run.output[-6000:]
        return run

    def start(self, playbook: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a run in a process group of its own; its output is in the pipe."""
        return subprocess.Popen(
            self.command("ansible-playbook", str(ROOT / f"playbooks/{playbook}.yml"), *arguments),
            cwd=ROOT,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run_and_kill(self, playbook: str, pattern: str, *arguments: str, delay: float = 0.0) -> str:
        """Kill a run, and all that it started here, ``delay`` seconds after its output matches; the output so far."""
        process = self.start(playbook, *arguments)
        assert process.stdout is not None
        seen = ""
        for line in process.stdout:
            seen += line
            if re.search(pattern, line):
                time.sleep(delay)
                os.killpg(process.pid, signal.SIGKILL)
                break
        process.wait()
        assert re.search(pattern, seen), f"'{pattern}' was never printed:\n{seen[-3000:]}"
        return seen

    def on(self, host: str, command: str, check: bool = True) -> str:
        """Output of a command on a host, through the bastion, as root."""
        arguments = ["ssh", "-F", str(self.state / "ssh_config"), host, "sudo", "sh", "-c", f"'{command}'"]
        # ssh leaves what it reads from without blocking, which Ansible does not bear.
        result = subprocess.run(arguments, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert not check or result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
        return result.stdout

    def ask(self, host: str, path: str = "/", method: str = "GET", body: Any = None, secure: bool = True) -> Answer:
        """Ask a public name, verifying the chain; nothing is followed."""
        connection = self._connection(host, secure)
        headers = {"Host": host, **({"Content-Type": "application/json"} if body is not None else {})}
        connection.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
        response = connection.getresponse()
        answer = Answer(response.status, dict(response.getheaders()), response.read().decode())
        connection.close()
        return answer

    def certificate(self, host: str) -> dict[str, Any]:
        """The certificate as it is served for a name."""
        with (
            socket.create_connection((self.address, 443), timeout=10) as plain,
            self._context().wrap_socket(plain, server_hostname=host) as secure,
        ):
            return dict(secure.getpeercert() or {})

    def _context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.state / "acme-root.pem"))

    def _connection(self, host: str, secure: bool) -> http.client.HTTPConnection:
        if not secure:
            return http.client.HTTPConnection(self.address, 80, timeout=15)
        connection = http.client.HTTPSConnection(host, 443, timeout=15)
        plain = socket.create_connection((self.address, 443), timeout=15)
        connection.sock = self._context().wrap_socket(plain, server_hostname=host)
        return connection

    def _environment(self) -> dict[str, str]:
        settings = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        return {**os.environ, **settings, **self.environment}
