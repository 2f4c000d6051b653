"""What a URL says: one server, a cluster's first nodes, or sentinels and the service they watch. Pure.

URLs of one server are redis-py's to read. Those of several are ours, since it has none:

* ``redis+cluster://[user:password@]host[:port],host[:port]...``
* ``redis+sentinel://[user:password@]host[:port],host[:port].../service[/db]``

with ``rediss`` in front for TLS. User and password are the data servers'.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit

EMBEDDED: Final = "embedded://"
CLUSTER: Final = ("redis+cluster://", "rediss+cluster://")
SENTINEL: Final = ("redis+sentinel://", "rediss+sentinel://")
SCHEMES: Final = ("redis://", "rediss://", "unix://", *SENTINEL, *CLUSTER, EMBEDDED)

_PORTS: Final = {CLUSTER: 6379, SENTINEL: 26379}


class Nodes(NamedTuple):
    """Several servers.

    Attributes:
        hosts: Pairs of host and port.
        service: What sentinels call the primary; "" for a cluster.
        args: User, password, database and TLS, as redis-py's connections take them.
    """

    hosts: list[tuple[str, int]]
    service: str
    args: dict[str, Any]


def checked(url: Any) -> str:
    """A URL of a scheme that is known.

    Raises:
        TypeError: If it is no str.
        ValueError: If its scheme is none of `SCHEMES`.
    """
    if not isinstance(url, str):
        raise TypeError(f"redis_url must be a str, not {type(url).__name__}: bring a client as redis_client")
    if not url.startswith(SCHEMES):
        scheme, separator, _ = url.partition("://")
        # Anything but a scheme is not shown: it may be a password.
        given = f"{scheme}://" if separator and scheme.replace("+", "").isalnum() else "what was given"
        raise ValueError(f"redis_url must begin with {', '.join(SCHEMES[:-1])} or {EMBEDDED}, not {given}")
    return url


def nodes(url: str) -> Nodes | None:
    """What a URL of several servers says; None for a URL of one.

    Raises:
        ValueError: If a part is missing or wrong; credentials are not shown.
    """
    for schemes, port in _PORTS.items():
        if url.startswith(schemes):
            return _parsed(url, port, sentinel=schemes is SENTINEL)
    return None


def _parsed(url: str, port: int, *, sentinel: bool) -> Nodes:
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    if parts.query or parts.fragment:
        raise ValueError(
            "redis_url of several servers takes no options after ?: give them as connection_args"
        )
    service, _, db = parts.path.strip("/").partition("/")
    args = _credentials(credentials)
    if url.startswith("rediss"):
        args["ssl"] = True
    if sentinel and not service:
        raise ValueError(
            "redis_url of sentinels needs the service's name: redis+sentinel://host1,host2/service"
        )
    if not sentinel and service:
        raise ValueError("redis_url of a cluster has no path: a cluster has database 0 only")
    if db:
        args["db"] = _number(db, "database")
    return Nodes([_host(each, port) for each in hosts.split(",")], unquote(service), args)


def _credentials(text: str) -> dict[str, Any]:
    user, _, password = text.partition(":")
    found = {"username": unquote(user), "password": unquote(password)}
    return {name: value for name, value in found.items() if value}


def _host(text: str, port: int) -> tuple[str, int]:
    """A host and its port; an IPv6 address stands in brackets."""
    host, separator, given = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    host, given = (host, given) if separator else (text, "")
    if not host:
        raise ValueError("redis_url names no host between two commas, or none at all")
    return host.strip("[]"), _number(given, "port") if given else port


def _number(text: str, what: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"redis_url has a {what} that is no number: {text!r:.20}")
    return int(text)
