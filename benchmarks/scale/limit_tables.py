"""What was found of what all threads share, and of where it ends, as tables; and the whole in a few lines."""

from __future__ import annotations

from benchmarks.peers.grid import Table
from benchmarks.peers.texts import amount, digits
from benchmarks.scale import notes
from benchmarks.scale.load_tables import turn_us
from benchmarks.scale.memory_tables import MILLION, NODE, Found, nodes, share


def tables(found: Found) -> list[Table]:
    """The registry, how long a call takes the server, the limits."""
    return [_shared(found), _holds(found["limits"]), _limits(found), _brief(found)]


def _shared(found: Found) -> Table:
    registry, entered = found["registry"], found["registry"]["entered"]
    fewest, *_, most = found["population"]["pages"]
    rows = tuple(
        _page(each["threads"], name, page)
        for each in (fewest, most, registry)
        for name, page in each["pages"].items()
    )
    told = (
        notes.PAGES.format(names=f"{registry['threads']:,}", threads=f"{most['threads']:,}"),
        notes.ENTERED.format(
            cpu=digits(entered["cpu_us"]),
            a_second=f"{entered['a_second']:,.0f}",
            share=f"{entered['server_share']:.0%}",
            active=_active(found),
        ),
    )
    header = ("threads", "page", "round trips", "client, ms", "server, ms")
    return Table("scale-registry", "What all threads share", header, rows, told)


def _page(threads: int, name: str, page: Found) -> tuple[str, ...]:
    times = digits(page["seconds"] * 1e3), digits(page["server"] * 1e3)
    return f"{threads:,}", name, digits(page["round_trips"]), *times


def _active(found: Found) -> str:
    """Threads in use within a minute that one core enters in the registry, if it does nothing else."""
    registry = found["registry"]
    return f"{1e6 / registry['entered']['cpu_us'] * registry['every']:,.0f}"


def _holds(found: Found) -> Table:
    operations = [name for name in found["holds"][0] if name != "messages"]
    rows = tuple(
        (f"{each['messages']:,}", *(f"{each[name]:,.0f}" for name in operations)) for each in found["holds"]
    )
    note = notes.HOLDS.format(rounds=found["rounds"])
    return Table("scale-holds", "How long a call holds the server", ("messages", *operations), rows, (note,))


def _limits(found: Found) -> Table:
    limits, each = found["limits"], found["population"]["million"]["line"]["each"]
    million, connection = amount(each * MILLION), amount(limits["connection"])
    turns = f"{1e6 / turn_us(found):,.0f} a second"
    rows = (
        ("memory", f"{amount(each)} a thread", f"{million} for a million; the nodes of a cluster share it"),
        ("turns of one thread", turns, "it is in one slot, on one node, which has one core for it"),
        ("threads in use in a minute", _active(found), "what one core enters in the registry"),
        ("keys of the registry", str(limits["shards"]), "so no more nodes than that share its entries"),
        ("keys of an indexed value", "1", "`index_metadata`: all threads with it are entered on one node"),
        ("a message, or another part", amount(limits["largest"]), "`proto-max-bulk-len`; refused unsent"),
        ("fields of a thread", f"{2**32 - 1:,}", "of a hash; memory ends before"),
        (
            "bytes of a page",
            amount(limits["budget"]),
            "so that a call holds the server for milliseconds only",
        ),
        ("connections of a node", f"{limits['maxclients']:,}", f"`maxclients` by default; {connection} each"),
    )
    return Table("scale-limits", "Where it ends", ("", "limit", "why"), rows, numbers=False)


def _brief(found: Found) -> Table:
    turn, million = turn_us(found), found["population"]["million"]
    least = min(found["ways"], key=lambda each: float(each["bytes"]))
    whole = f"{amount(million['used'])}, {nodes(found)} nodes of {amount(NODE)}"
    client = found["population"]["client"]["seconds"] * 1e6
    rows = (
        ("a million chats of 20 turns, every checkpoint kept", whole),
        (f"the same, {least['kept']}", amount(least["bytes"] * MILLION)),
        ("chat turns that one core of a server carries", f"{1e6 / turn:,.0f} a second"),
        ("cores of Python that keep it busy", f"{client / turn:.0f}"),
        ("threads on the fullest of three nodes", f"{share(_fullest(found))} of an even share"),
    )
    return Table("scale-brief", "In short", ("", ""), rows, numbers=False)


def _fullest(found: Found) -> float:
    return float(found["cluster"]["spread"]["nodes"][0]["fullest"])
