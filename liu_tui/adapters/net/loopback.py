"""Whether an address lies on this machine.

Proxies of the environment are for the outside world: through one, no request to the local market arrives.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Say whether the URL's host is this machine, by its address or as `localhost`."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
