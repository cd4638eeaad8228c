"""The processor that a benchmark ran on, for the page that shows its figures."""

import platform
from pathlib import Path


def processor() -> str:
    """Its name as Linux has it, and how many of it there are; else the machine's kind."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    if not names:
        return platform.machine()
    return f"{len(names)} processors {names[0]}"
