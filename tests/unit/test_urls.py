"""Every form of a URL, and what is said of one that cannot be taken: never a password."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from langgraph._redis.urls import CLUSTER, SENTINEL, Nodes, checked, nodes, shown

SECRET = "s3cret"

ONE = [
    "redis://localhost",
    "redis://localhost:6379/0",
    "redis://user:password@localhost:6379/15",
    "redis://localhost?db=3&password=a@b",
    "redis://[::1]:6379/0",
    "redis://[::1]",
    "redis:///3",
    "rediss://:password@localhost:6380/0?ssl_cert_reqs=none",
    "unix:///run/redis.sock?db=2",
    "unix://user:password@/run/redis.sock",
    "unix://localhost/run/redis@home.sock",
    "embedded://",
    "embedded://./memory",
    "embedded:///var/lib/a:b@c/memory",
]


@pytest.mark.parametrize("url", ONE)
def test_a_url_of_one_server_is_left_to_redis(url: str) -> None:
    assert checked(url) == url
    assert nodes(url) is None


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("redis+cluster://a", [("a", 6379)]),
        ("redis+cluster://a/", [("a", 6379)]),
        ("redis+cluster://a/0", [("a", 6379)]),
        ("redis+cluster://a:7000,b,c:7002", [("a", 7000), ("b", 6379), ("c", 7002)]),
        ("redis+cluster://a:7000,[::1]:7001,[fe80::2]", [("a", 7000), ("::1", 7001), ("fe80::2", 6379)]),
        ("redis+sentinel://a/mymaster", [("a", 26379)]),
        ("redis+sentinel://a,b:5000,[::1]/mymaster", [("a", 26379), ("b", 5000), ("::1", 26379)]),
    ],
)
def test_hosts_are_told_with_ports_or_have_the_usual_one(url: str, hosts: list[tuple[str, int]]) -> None:
    assert told(url).hosts == hosts


@pytest.mark.parametrize(
    ("path", "service", "args"),
    [
        ("mymaster", "mymaster", {}),
        ("mymaster/", "mymaster", {}),
        ("mymaster/0", "mymaster", {"db": 0}),
        ("mymaster/12", "mymaster", {"db": 12}),
        ("my%2Fmaster%20one/3", "my/master one", {"db": 3}),
    ],
)
def test_sentinels_are_asked_for_a_service_and_its_server_for_a_database(
    path: str, service: str, args: dict[str, Any]
) -> None:
    found = told(f"redis+sentinel://a,b/{path}")

    assert (found.service, found.args) == (service, args)


def test_a_cluster_has_no_service() -> None:
    assert told("redis+cluster://a,b").service == ""
    assert told("redis+cluster://a,b/0").service == ""


ODD = "p@ss:w/rd?#[,]% é"


@pytest.mark.parametrize("scheme", [*SENTINEL, *CLUSTER])
@pytest.mark.parametrize(
    ("credentials", "args"),
    [
        ("", {}),
        ("@", {}),
        ("user@", {"username": "user"}),
        (f":{SECRET}@", {"password": SECRET}),
        (f"user:{SECRET}@", {"username": "user", "password": SECRET}),
        (f"us%40er:{quote(ODD, safe='')}@", {"username": "us@er", "password": ODD}),
        ("user:with@sign@", {"username": "user", "password": "with@sign"}),
        ("user:with:colons@", {"username": "user", "password": "with:colons"}),
    ],
)
def test_user_and_password_are_those_of_the_data_servers(
    scheme: str, credentials: str, args: dict[str, Any]
) -> None:
    found = told(f"{scheme}{credentials}a,b{'/mymaster' if scheme in SENTINEL else ''}")

    assert {name: found.args[name] for name in ("username", "password") if name in found.args} == args
    assert found.hosts[1][0] == "b"


@pytest.mark.parametrize(
    ("url", "tls"),
    [
        ("rediss+cluster://a", True),
        ("redis+cluster://a", False),
        ("rediss+sentinel://a/mymaster", True),
        ("redis+sentinel://a/mymaster", False),
    ],
)
def test_a_scheme_with_ss_is_tls(url: str, *, tls: bool) -> None:
    assert told(url).args.get("ssl", False) is tls


WRONG = {
    "redis+sentinel://a,b": "needs the service's name",
    "redis+sentinel://a,b/": "needs the service's name",
    "redis+sentinel://a/mymaster/x": "a database that is no number",
    "redis+sentinel://a/mymaster/1/2": "a database that is no number",
    "redis+sentinel:///mymaster": "names no host",
    "redis+cluster://": "names no host",
    "redis+cluster://a,,b": "names no host between two commas",
    "redis+cluster://a,": "names no host between two commas",
    "redis+cluster://a/1": "a cluster has database 0 only",
    "redis+cluster://a/mymaster": "a cluster has database 0 only",
    "redis+cluster://a:x": "a port that is no number",
    "redis+cluster://a:²": "a port that is no number",
    "redis+cluster://a:70000": "a port beyond 65535",
    "redis+cluster://::1": "an IPv6 address stands in brackets",
    "redis+cluster://[::1": "an IPv6 address stands in brackets",
    "redis+cluster://a?protocol=3": "no options after",
    "redis+cluster://a#b": "no options after",
    "redis+sentinel://a/mymaster?db=1": "no options after",
    "redis://a,b": r"begin with redis\+cluster:// for a cluster, or redis\+sentinel:// for sentinels",
    "rediss://a:1,b:2/0": r"begin with rediss\+cluster://",
    "redis://a:x": "a port that is no number",
    "redis://::1": "an IPv6 address stands in brackets",
    "unix://run/redis.sock": "three slashes, unix:///run/redis.sock",
    "unix://tmp": "three slashes",
}


@pytest.mark.parametrize("url", WRONG)
def test_what_is_wrong_is_said(url: str) -> None:
    with pytest.raises(ValueError, match=WRONG[url]):
        checked(url)


@pytest.mark.parametrize("character", "/?#")
@pytest.mark.parametrize(
    "form",
    [
        "redis://user:{}@a/0",
        "rediss://:{}@a",
        "unix://user:{}@/run/redis.sock",
        "redis+cluster://user:{}@a,b",
        "redis+sentinel://user:{}@a,b/mymaster",
    ],
)
@pytest.mark.parametrize("password", [f"{SECRET}{{}}{SECRET}", f"123{{}}{SECRET}", f"{{}}{SECRET}"])
def test_a_password_that_must_be_percent_encoded_is_not_shown(
    form: str, character: str, password: str
) -> None:
    with pytest.raises(ValueError, match="percent-encode") as refused:
        checked(form.format(password.format(character)))

    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@pytest.mark.parametrize("password", [f"{SECRET}[", f"]{SECRET}", f"℀{SECRET}", f"{SECRET}:1", f"{SECRET},b"])
def test_a_password_that_stands_whole_before_the_host_is_taken(password: str) -> None:
    assert told(f"redis+cluster://user:{password}@a").args["password"] == password


@pytest.mark.parametrize(
    ("url", "place"),
    [
        (f"redis+cluster://user:{SECRET}@a:1,[::1]:2", "redis+cluster://a:1,[::1]:2"),
        (f"rediss+sentinel://:{SECRET}@a,b/mymaster/2", "rediss+sentinel://a,b/mymaster/2"),
        (f"redis://{SECRET}@a/3?password={SECRET}", "redis://a/3"),
        (f"redis://user:{SECRET}@{SECRET}@a", "redis://a"),
        (f"unix://user:{SECRET}@/run/redis.sock?password={SECRET}", "unix:///run/redis.sock"),
    ],
)
def test_a_place_is_shown_without_credentials(url: str, place: str) -> None:
    assert shown(url) == place


def told(url: str) -> Nodes:
    found = nodes(checked(url))
    assert found is not None
    return found
