"""Where figures were taken: without it they mean nothing to anyone else."""

from __future__ import annotations

import gc
import os
import platform
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "langgraph-checkpoint-redis",
    "langgraph",
    "langgraph-checkpoint",
    "langchain-core",
    "redis",
    "hiredis",
    "zstandard",
    "ormsgpack",
)


def facts(server: str) -> dict[str, str]:
    """The server, the machine and the packages, as a table's lines."""
    versions = {package: _version(package) for package in PACKAGES}
    return {"server": f"{server}, no persistence, loopback TCP", **here(), **versions}


def here() -> dict[str, str]:
    """The moment, the interpreter and the machine."""
    return {
        "measured": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": f"{os.cpu_count()} x {_processor()}",
        "load before": " ".join(f"{load:.2f}" for load in os.getloadavg()),
        "gc thresholds": str(gc.get_threshold()),
    }


def _processor() -> str:
    """The model's name where Linux tells it, otherwise what Python knows."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed (run from its sources)"
