"""Figures in columns, for people."""

from collections import Counter
from collections.abc import Iterator, Sequence

NO_TIER = "none"


def columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines with the first cell to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join(["", first.ljust(widths[0]), *cells]).rstrip()


def tier_rows(
    one: Counter[str | None], other: Counter[str | None]
) -> Iterator[tuple[str, int, int]]:
    """Each tier with its members under one and under another, the largest first."""
    for tier in sorted({*one, *other}, key=lambda tier: (-one[tier], -other[tier], tier or "")):
        yield tier or NO_TIER, one[tier], other[tier]


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 member", "2,400 members"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def signed(number: int) -> str:
    """A difference: "+1,200", "-3", "0"."""
    return f"{number:+,}" if number else "0"
