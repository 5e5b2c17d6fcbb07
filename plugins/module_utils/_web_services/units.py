# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of systemd units and of the files beside them. Pure: the same service gives the same text."""

from __future__ import annotations

import ipaddress
import json

from ansible_collections.gatehouse.platform.plugins.module_utils._web_services.model import (
    CANDIDATE,
    COLORS,
    TASK,
    Service,
    WebServiceError,
)

UNITS = "/etc/systemd/system"
TRANSIENT_UNITS = "/run/systemd/system"
SETTINGS = "/etc/gatehouse/services"
SERVICES = "/srv"
SOCKETS = "/run/gatehouse"
MARK = "# Written by gatehouse.platform. Changes made here are replaced."

# A color that goes may finish what Apache still waits for: 60 seconds, unless a virtual host says otherwise.
# A candidate has no visitors, and one that hangs is not waited for.
GRACE = 65
CANDIDATE_GRACE = 5
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
METADATA = ("169.254.169.254", "fd00:ec2::254")

SANDBOX = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
PrivateDevices=yes
PrivateTmp=yes
PrivateUsers=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
ProcSubset=pid
DevicePolicy=closed
KeyringMode=private
LockPersonality=yes
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
UMask=0077"""


def base(name: str) -> str:
    """Directory of a service's releases and environments."""
    return f"{SERVICES}/{name}"


def unit_path(name: str, slot: str) -> str:
    """Where the unit of a color lies, or that of a candidate or task, which a reboot forgets."""
    return f"{TRANSIENT_UNITS if slot in (CANDIDATE, TASK) else UNITS}/{name}-{slot}.service"


def check_socket(name: str, slot: str) -> str:
    """The socket on which the deployment in this slot, and no other, answers."""
    return f"{SOCKETS}/{name}-{slot}.sock"


def static_files(service: Service) -> dict[str, str]:
    """Files that both colors share: the manifest, the public socket, a check socket for each color."""
    health = {"path": service.health.path, "status": service.health.status, "host": service.server_name}
    manifest = {"platform": service.platform, "name": service.name, "port": service.port, "health": health}
    return {
        f"{SETTINGS}/{service.name}/service.json": json.dumps(manifest, indent=2) + "\n",
        f"{UNITS}/{service.name}.socket": public_socket(service),
        **{f"{UNITS}/{service.name}-{color}.socket": check_socket_unit(service.name, color) for color in COLORS},
    }


def public_socket(service: Service) -> str:
    """The listening socket, which systemd holds whichever color runs, and however often one ends."""
    return f"""\
{MARK}
[Unit]
Description={service.name}: socket on 127.0.0.1:{service.port}

[Socket]
ListenStream=127.0.0.1:{service.port}
Service={service.name}.service
Backlog=2048
NoDelay=yes
TriggerLimitIntervalSec=0

[Install]
WantedBy=sockets.target
"""


def check_socket_unit(name: str, slot: str) -> str:
    """A socket of the slot's own, for root alone, so that its health can be asked for directly."""
    return f"""\
{MARK}
[Unit]
Description={name}: health of {slot}
PartOf={name}-{slot}.service

[Socket]
ListenStream={check_socket(name, slot)}
SocketMode=0600
RemoveOnStop=yes
Service={name}-{slot}.service
"""


def slot_files(
    service: Service, slot: str, release: str, environment: str, command: tuple[str, ...] = ()
) -> dict[str, str]:
    """Files of one deployment: unit, environment and secrets; for a task, ``command`` is what it runs."""
    settings = f"{SETTINGS}/{service.name}/{slot}"
    files = {
        unit_path(service.name, slot): service_unit(service, slot, release, environment, command),
        f"{settings}/environment": environment_file(service),
        **{f"{settings}/secrets/{name}": text for name, text in service.secrets.items()},
    }
    if slot == CANDIDATE:
        files[f"{TRANSIENT_UNITS}/{service.name}-{slot}.socket"] = check_socket_unit(service.name, slot)
    return files


def service_unit(service: Service, slot: str, release: str, environment: str, command: tuple[str, ...] = ()) -> str:
    """The unit of a color, a candidate or a task: the same user, sandbox and settings for all of them."""
    directory = base(service.name)
    path = f"{directory}/environments/{environment}/bin:/usr/local/bin:/usr/bin:/bin"
    lines = [
        MARK,
        "[Unit]",
        f"Description={service.name} ({slot}), release {release}",
        "After=network.target",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        *_process(service, slot, environment, command),
        f"User={service.name}",
        f"Group={service.name}",
        f"WorkingDirectory={directory}/releases/{release}",
        f"StateDirectory={service.name}",
        "StateDirectoryMode=0700",
        f"RuntimeDirectory=gatehouse/{service.name}-{slot}",
        f"Environment=PATH={path}",
        "Environment=PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1",
        f"Environment=GATEHOUSE_SERVICE={service.name} GATEHOUSE_RELEASE={release}",
        f"EnvironmentFile={SETTINGS}/{service.name}/{slot}/environment",
        *(
            f"LoadCredential={name}:{SETTINGS}/{service.name}/{slot}/secrets/{name}"
            for name in map(_plain, service.secrets)
        ),
        f"MemoryMax={_plain(service.memory_max)}",
        f"TasksMax={service.tasks_max}",
        SANDBOX,
        # Compilers at run time need memory that is written and executed; Python does not.
        *(["MemoryDenyWriteExecute=yes"] if service.kind != "command" else []),
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
        *_network(service),
    ]
    return "\n".join(lines) + "\n"


def server_command(service: Service, slot: str, environment: str) -> str:
    """The command line that serves, on the sockets which systemd passes."""
    if service.kind == "command":
        return command_line(("/usr/bin/env", *service.command))
    worker = {"wsgi": "gthread", "asgi": "asgi"}[service.kind]
    return command_line(
        (
            f"{base(service.name)}/environments/{environment}/bin/gunicorn",
            f"--worker-class={worker}",
            f"--workers={service.workers}",
            *([f"--threads={service.threads}"] if service.kind == "wsgi" else []),
            "--keep-alive=5",
            f"--graceful-timeout={_grace(slot)}",
            f"--worker-tmp-dir=/run/gatehouse/{service.name}-{slot}",
            "--forwarded-allow-ips=127.0.0.1",
            "--no-control-socket",
            service.application,
        )
    )


def command_line(words: tuple[str, ...]) -> str:
    """Words as systemd reads them back unchanged (systemd.service, COMMAND LINES)."""
    return " ".join(_quote(word) for word in words)


def environment_file(service: Service) -> str:
    """Variables as EnvironmentFile= reads them back unchanged (systemd.exec)."""
    return "".join(f'{name}="{_escape(text)}"\n' for name, text in service.environment.items())


def _process(service: Service, slot: str, environment: str, command: tuple[str, ...]) -> list[str]:
    if slot == TASK:
        return ["Type=oneshot", f"ExecStart={command_line(('/usr/bin/env', *command))}", "TimeoutStartSec=600"]
    sockets = f"{service.name}-{slot}.socket"
    return [
        "Type=exec" if service.kind == "command" else "Type=notify",
        f"Sockets={sockets}" if slot == CANDIDATE else f"Sockets={service.name}.socket {sockets}",
        f"ExecStart={server_command(service, slot, environment)}",
        # A candidate that ends has failed. In a color the kernel may kill a worker, which gunicorn replaces.
        *(["Restart=always", "RestartSec=1", "OOMPolicy=continue"] if slot in COLORS else []),
        "KillMode=mixed",
        f"TimeoutStopSec={_grace(slot) + 10}",
    ]


def _grace(slot: str) -> int:
    return CANDIDATE_GRACE if slot == CANDIDATE else GRACE


def _network(service: Service) -> list[str]:
    """Who may use the role of an EC2 instance has the secrets of all services that run on it."""
    if service.network == ("any",):
        return [] if service.instance_role else [f"IPAddressDeny={' '.join(METADATA)}"]
    if service.instance_role:
        allowed = ["localhost", *map(_plain, service.network), *METADATA]
    else:
        allowed = ["localhost", *(part for network in service.network for part in _without_metadata(network))]
    return ["IPAddressDeny=any", f"IPAddressAllow={' '.join(allowed)}"]


def _without_metadata(text: str) -> list[str]:
    """A network, in parts where it has an address of the metadata: what is allowed counts more than what is denied."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return [_plain(text)]
    for address in map(ipaddress.ip_network, METADATA):
        if network.version == address.version and address.subnet_of(network):  # type: ignore[arg-type]
            return [str(part) for part in sorted(network.address_exclude(address))]  # type: ignore[arg-type]
    return [_plain(text)]


def _plain(text: str) -> str:
    """A value as systemd reads it back unchanged, in one line (systemd.unit, SPECIFIERS)."""
    if any(not character.isprintable() for character in text):
        raise WebServiceError(f"{text!r} holds a control character, which a unit cannot")
    return text.replace("%", "%%")


def _quote(word: str) -> str:
    word = (
        word.replace("\\", "\\\\")
        .replace("%", "%%")
        .replace("$", "$$")
        .replace("\n", "\\n")
        .replace("\r", "\\r")
        .replace('"', '\\"')
    )
    return f'"{word}"' if not word or any(character in word for character in " \t'\";\\") else word


def _escape(text: str) -> str:
    for character in ("\\", '"', "`", "$"):
        text = text.replace(character, "\\" + character)
    return text
