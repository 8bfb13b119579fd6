"""Which releases of a server have the security fixes that are known, by its own announcements.

Redis: those of August 2026 (CVE-2026-81934 takes no password where there is TLS). Valkey: those of
July 2026 (CVE-2026-56684), of 7.2 those of November. PostgreSQL: the minor releases of
13 August 2026.
"""

import re
from collections.abc import Mapping

Line = tuple[int, ...]
FIXED: Mapping[str, Mapping[Line, int]] = {
    "Redis": {
        (6, 2): 24, (7, 2): 16, (7, 4): 11, (8, 2): 9, (8, 4): 6, (8, 6): 6, (8, 8): 2, (8, 10): 1,
    },
    "Valkey": {(7, 2): 16, (8, 0): 10, (8, 1): 9, (9, 0): 5, (9, 1): 1},
    "PostgreSQL": {(15,): 19, (16,): 15, (17,): 11, (18,): 6},
}  # fmt: skip
"""The first patch of each line that has them."""
UNLESS = ", unless your distribution or provider has taken the fixes into this one"


def what_it_lacks(product: str, version: str) -> tuple[str, str] | None:
    """Which security fixes a server lacks and what helps, by its number alone; None where it lacks
    none, or is newer than what is known here."""
    lines = FIXED[product]
    size = len(next(iter(lines)))
    numbers = [int(part) for part in re.findall(r"\d+", version)[: size + 1]]
    line, patch = tuple(numbers[:size]), numbers[size] if len(numbers) > size else 0
    if line in lines:
        first = ".".join(map(str, (*line, lines[line])))
        if patch >= lines[line]:
            return None
        return f"lacks security fixes that came with {first}", f"upgrade to {first}{UNLESS}"
    if line > max(lines):
        return None
    held = ", ".join(".".join(map(str, (*one, least))) for one, least in lines.items())
    return "is of a line that gets no security fixes any more", f"upgrade to one of {held}{UNLESS}"
