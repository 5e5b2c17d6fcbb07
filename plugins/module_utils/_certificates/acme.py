# Copyright: gatehouse.platform maintainers
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ACME server's directory, asked before certbot is, for an error that says what is wrong."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request

from ansible_collections.gatehouse.platform.plugins.module_utils._certificates.model import CertificatesError


def needs_external_account(server: str, ca_file: str = "", timeout: float = 15) -> bool:
    """Fetch the directory (RFC 8555, 7.1.1) and say whether an account has to be bound to an external one.

    Raises CertificatesError where there is no such server, or its TLS certificate is not trusted.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file or None)
    except OSError as error:
        raise CertificatesError(f"the authorities in {ca_file} cannot be read: {error.strerror or error}") from error
    # Python 3.13 is stricter by default than certbot is.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(server, timeout=timeout) as response:
            directory = json.loads(response.read(1 << 20))
    except urllib.error.HTTPError as error:
        raise CertificatesError(f"the ACME server at {server} answers with status {error.code}") from error
    except urllib.error.URLError as error:
        reason = getattr(error.reason, "strerror", None) or error.reason
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            reason = f"its TLS certificate is not trusted ({error.reason.verify_message})"
        raise CertificatesError(f"cannot reach the ACME server at {server}: {reason}") from error
    except ValueError as error:
        raise CertificatesError(f"what answers at {server} is not an ACME directory") from error
    except OSError as error:
        raise CertificatesError(f"cannot reach the ACME server at {server}: {error.strerror or error}") from error
    if not isinstance(directory, dict) or "newOrder" not in directory:
        raise CertificatesError(f"what answers at {server} is not an ACME directory")
    return bool(directory.get("meta", {}).get("externalAccountRequired"))
