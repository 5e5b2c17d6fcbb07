"""Opens connections to a host behind the bastion all at once, and prints how many of them answered.

Usage: probe.py SSH_CONFIG HOST NUMBER
"""

from __future__ import annotations

import subprocess
import sys

config, host, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
command = ["ssh", "-F", config, "-o", "ControlPath=none", "-o", "ControlMaster=no", host, "true"]
processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(number)]
print(sum(process.wait(60) == 0 for process in processes))
