"""The table of faults and of the mutations that find them.

``python -m tests.property.simulation.table`` writes it into README.md beside this module, between
two marks; a test holds it there.
"""

import re
import sys
from pathlib import Path

from tests.property.simulation import faults
from tests.property.simulation.faults import FAULTS
from tests.property.simulation.mutations import MUTATIONS

PAGE = Path(__file__).parent / "README.md"
BEGINS, ENDS = "<!-- faults -->", "<!-- /faults -->"
ELSEWHERE = {
    "u": "`benchmarks/error_rates.py`, `tests/unit/service/capture/test_key_evidence.py`",
}
"""What finds a fault that no meeting of actors shows."""


def described() -> dict[str, str]:
    """What each fault is, by its letter, as ``faults`` describes it."""
    lines = re.findall(r"^    (\S.*?)  +(\S.*)$", faults.__doc__ or "", re.MULTILINE)
    return {letter.strip(): text for letter, text in lines}


def table() -> str:
    """Each fault with the world in which it shows, the promise and what its mutation takes out."""
    rows = [
        "| letter | fault | world | promise (tag) | the mutation swaps |",
        "|---|---|---|---|---|",
    ]
    by_length = sorted(described().items(), key=lambda item: (len(item[0]) > 1, item[0]))
    for letter, text in by_length:
        if letter in ELSEWHERE:
            rows.append(f"| {letter} | {text} | none | none | {ELSEWHERE[letter]} |")
            continue
        fault = FAULTS[letter]
        swapped = ", ".join(
            f"`{getattr(owner, '__name__', owner).rpartition('.')[2]}.{name}`"
            for owner, name, _ in MUTATIONS[letter]()
        )
        promise = f"{fault.promise} ({fault.tag})"
        rows.append(f"| {letter} | {text} | {fault.world} | {promise} | {swapped} |")
    return "\n".join(rows)


def main() -> None:
    """Write the table into the page."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGINS)
    tail = rest.partition(ENDS)[2]
    PAGE.write_text(f"{head}{BEGINS}\n\n{table()}\n\n{ENDS}{tail}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
