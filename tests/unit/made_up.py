"""A run that never was, shaped as a real one is. Its figures are invented, and never published."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from benchmarks.peers.contract import Entrant, Outcome, Results, Sample, Weight

STYLES = ("sync", "async")

# Milliseconds of a call, of a message; round trips of a turn; bytes kept of a turn, of its square.
INVENTED = {
    "memory": (0.02, 0.004, None, None),
    "ours": (0.3, 0.0045, 5, (6000, 0)),
    "ours-embedded": (0.3, 0.0046, 5, (6000, 0)),
    "ours-cluster": (0.4, 0.0047, 5, (6200, 0)),
    "sqlite": (0.5, 0.01, None, (30_000, 800)),
    "postgres": (1.4, 0.006, 14, (9000, 450)),
    "redis-0.5.2": (2.5, 0.035, 31, (40_000, 1100)),
    "plainredis": (0.7, 0.011, 9, (25_000, 900)),
}
TURNS = 500


def wobbling(dice: random.Random, milliseconds: float) -> int:
    return int(milliseconds * 1e6 * dice.uniform(0.9, 1.25))


def samples(dice: random.Random, means: Sequence[tuple[int, float]], rounds: int = 3) -> list[Sample]:
    return [Sample(at, wobbling(dice, mean)) for _ in range(rounds) for at, mean in means]


def turns_of(contender: str, count: int, trips_cost: float) -> list[tuple[int, float]]:
    call, message, trips, _ = INVENTED[contender]
    return [
        (turn, 3 + 4 * call + 6 * message * turn + (trips or 0) * trips_cost) for turn in range(1, count + 1)
    ]


def counts(contender: str) -> list[Sample]:
    trips = INVENTED[contender][2]
    return [] if trips is None else [Sample(1, 1, trips, trips * 400, trips * 150)] * 3


def outcomes(contender: str, style: str) -> Iterator[Outcome]:
    dice = random.Random(f"{contender}{style}")
    call, message, trips, kept = INVENTED[contender]
    for workload, share in (("put", 1.0), ("put_writes", 0.6), ("get_tuple", 1.4)):
        for size in (20, 600):
            means = [(0, share * call + (0 if workload == "put_writes" else message * size * share))] * 10
            yield Outcome(contender, style, workload, size, samples=samples(dice, means))
    weighed = [0, 10, 50, 100, 200, 300, 400, 500]
    yield Outcome(
        contender,
        style,
        "chat",
        TURNS,
        samples=samples(dice, turns_of(contender, TURNS, 0.0)),
        counted=counts(contender),
        weights=[Weight(at, 90_000 + at * kept[0] + at * at * kept[1]) for at in weighed] if kept else [],
    )
    for delay in (0.0, 1.0, 10.0) if trips else (0.0,):
        means = turns_of(contender, 20, delay * 0.8)
        yield Outcome(contender, style, "chat-short", 20, delay, samples(dice, means), counts(contender))
    for sends in (100, 500):
        means = [(0, sends * (0.5 + call))]
        yield Outcome(contender, style, "fanout", sends, samples=samples(dice, means))


def wrong(style: str) -> Iterator[Outcome]:
    """A contender that is quick, and wrong."""
    reason = "a message of <thread> came back\nas another | one"
    for workload, size in (("put", 20), ("put", 600), ("chat", TURNS), ("fanout", 100), ("fanout", 500)):
        quick = [Sample(at, 1000, 1, 1, 1) for at in range(1, 11)]
        yield Outcome(
            "aws-valkey", style, workload, size, 0.0, quick, quick, [Weight(0, 0), Weight(10, 1)], reason
        )
    yield Outcome("aws-valkey", style, "get_tuple", 600, failed="ConnectionError: it hung up")


def run() -> Results:
    """Most contenders right, one wrong, one missing."""
    entrants = [
        Entrant(name, f"{name}, invented", STYLES, "Valkey 0.0", {"package": "0.0"})
        for name in (*INVENTED, "aws-valkey")
        if name != "postgres"
    ]
    entrants.append(Entrant("postgres", "PostgresSaver", STYLES, missing="no PostgreSQL was found"))
    found = [
        each for name in INVENTED if name != "postgres" for style in STYLES for each in outcomes(name, style)
    ]
    found += [each for style in STYLES for each in wrong(style)]
    return Results({"measured": "never", "processor": "2 x imagined"}, entrants, found)
