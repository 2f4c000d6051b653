"""What a URL says: one server, a cluster's first nodes, or sentinels and the service they watch. Pure.

URLs of one server are redis-py's to read. Those of several are ours, since it has none:

* ``redis+cluster://[user:password@]host[:port],host[:port]...``
* ``redis+sentinel://[user:password@]host[:port],host[:port].../service[/db]``

with ``rediss`` in front for TLS. User and password are the data servers'. An IPv6 address stands in brackets.

A refusal shows nothing of what may be a password, and so nothing of a URL that cannot be taken apart.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

EMBEDDED: Final = "embedded://"
CLUSTER: Final = ("redis+cluster://", "rediss+cluster://")
SENTINEL: Final = ("redis+sentinel://", "rediss+sentinel://")
SCHEMES: Final = ("redis://", "rediss://", "unix://", *SENTINEL, *CLUSTER, EMBEDDED)

_PORTS: Final = {CLUSTER: 6379, SENTINEL: 26379}
_HIGHEST_PORT: Final = 65535

# urllib's parser would check, and quote in its errors, what stands where it expects one host.
_PARTS: Final = re.compile(r"([^:]+)://([^/?#]*)([^?#]*)(.*)", re.DOTALL)
_HOST: Final = re.compile(r"(\[[^\[\]]+\]|[^\[\]:]+)(?::(.*))?", re.DOTALL)
_PERCENT: Final = "percent-encode / ? # @ : [ ] in user and password (urllib.parse.quote(text, safe=''))"


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


class _Parts(NamedTuple):
    scheme: str
    credentials: str
    hosts: str
    path: str
    options: str


def checked(url: Any) -> str:
    """A URL of a scheme that is known, and whose parts stand where they belong.

    Raises:
        TypeError: If it is no str.
        ValueError: If its scheme is none of `SCHEMES`, or a part is missing or wrong; no part that may be a
            password is shown.
    """
    if not isinstance(url, str):
        raise TypeError(f"redis_url must be a str, not {type(url).__name__}: bring a client as redis_client")
    if not url.startswith(SCHEMES):
        scheme, separator, _ = url.partition("://")
        # Anything but a scheme is not shown: it may be a password.
        given = f"{scheme}://" if separator and scheme.replace("+", "").isalnum() else "what was given"
        raise ValueError(f"redis_url must begin with {', '.join(SCHEMES[:-1])} or {EMBEDDED}, not {given}")
    if not url.startswith(EMBEDDED) and nodes(url) is None:
        _check_one(_parts(url))
    return url


def shown(url: str) -> str:
    """A URL without user, password and options."""
    parts = _parts(url)
    return f"{parts.scheme}://{parts.hosts}{parts.path}"


def nodes(url: str) -> Nodes | None:
    """What a URL of several servers says; None for a URL of one.

    Raises:
        ValueError: If a part is missing or wrong; credentials are not shown.
    """
    for schemes, port in _PORTS.items():
        if url.startswith(schemes):
            return _several(_parts(url), port, sentinel=schemes is SENTINEL)
    return None


def _parts(url: str) -> _Parts:
    found = _PARTS.fullmatch(url)
    assert found is not None, "a URL begins with its scheme"
    scheme, authority, path, options = found.groups()
    credentials, _, hosts = authority.rpartition("@")
    return _Parts(scheme, credentials, hosts, path, options)


def _check_one(parts: _Parts) -> None:
    """Find what redis-py would take for something else, or quote in its error."""
    if parts.scheme == "unix":
        if parts.hosts not in ("", "localhost"):
            raise ValueError(
                f"redis_url of a socket has three slashes, unix:///run/redis.sock; and {_PERCENT}"
            )
        return
    if "," in parts.hosts:
        raise ValueError(
            f"redis_url names several hosts: begin with {parts.scheme}+cluster:// for a cluster, "
            f"or {parts.scheme}+sentinel:// for sentinels"
        )
    _check_path(parts)
    options, _, fragment = parts.options.removeprefix("?").partition("#")
    if "@" in fragment or any("@" in option and "=" not in option for option in options.split("&")):
        raise ValueError(f"redis_url has an @ behind its host: {_PERCENT}")
    if parts.hosts:
        _host(parts.hosts, 0)


def _check_path(parts: _Parts) -> None:
    if "@" in parts.path:
        raise ValueError(f"redis_url has an @ behind its host: {_PERCENT}")


def _several(parts: _Parts, port: int, *, sentinel: bool) -> Nodes:
    _check_path(parts)
    if parts.options:
        raise ValueError(
            "redis_url of several servers takes no options after ? or #: give them as connection_args "
            f"({_PERCENT})"
        )
    service, _, db = parts.path.strip("/").partition("/")
    args = _credentials(parts.credentials)
    if parts.scheme.startswith("rediss"):
        args["ssl"] = True
    hosts = [_host(each, port) for each in parts.hosts.split(",")]
    if sentinel and not service:
        raise ValueError(
            "redis_url of sentinels needs the service's name: redis+sentinel://host1,host2/service"
        )
    if not sentinel and service not in ("", "0"):
        raise ValueError("redis_url of a cluster has no path: a cluster has database 0 only")
    if db:
        args["db"] = _number(db, "database")
    return Nodes(hosts, unquote(service) if sentinel else "", args)


def _credentials(text: str) -> dict[str, Any]:
    user, _, password = text.partition(":")
    found = {"username": unquote(user), "password": unquote(password)}
    return {name: value for name, value in found.items() if value}


def _host(text: str, port: int) -> tuple[str, int]:
    """A host and its port."""
    if not text:
        raise ValueError("redis_url names no host between two commas, or none at all")
    found = _HOST.fullmatch(text)
    if found is None:
        raise ValueError(
            f"redis_url has a host that cannot be read: an IPv6 address stands in brackets; {_PERCENT}"
        )
    host, given = found.groups()
    number = _number(given, "port") if given else port
    if number > _HIGHEST_PORT:
        raise ValueError(f"redis_url has a port beyond {_HIGHEST_PORT}; {_PERCENT}")
    return host.strip("[]"), number


def _number(text: str, what: str) -> int:
    """A number; what is none may be part of a password, and is not shown."""
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"redis_url has a {what} that is no number; {_PERCENT}")
    return int(text)
