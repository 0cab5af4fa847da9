"""The page of figures: what a run has measured goes into README.md, and how costs grow into growth.svg, beside it."""

from __future__ import annotations

from math import log10
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PAGE = Path(__file__).with_name("README.md")
PICTURE = PAGE.with_name("growth.svg")
BEGIN = "<!-- What follows is written by run.py --page -->"
HEAD = "| What | Measured | Floor | Ratio | Goal |\n| --- | ---: | ---: | ---: | ---: |\n"
NO_GOAL = 1e9

_COLOURS = ("#4477aa", "#cc6677", "#228833", "#aa8800")
_GREY = "#888888"
_WIDTH, _HEIGHT = 400, 240
_LEFT, _TOP, _RIGHT, _BOTTOM = 52, 34, 16, 36


class Figure(NamedTuple):
    """One comparison. Seconds."""

    what: str
    measured: float
    floor: float
    goal: float

    def row(self) -> str:
        """It as a row of the table."""
        ratio = self.measured / self.floor
        goal = "" if self.goal >= NO_GOAL else f"≤ {self.goal:g}" + ("" if ratio <= self.goal else " (missed)")
        return (
            f"| {self.what} | {_milliseconds(self.measured)} | {_milliseconds(self.floor)} | {ratio:.2f} | {goal} |\n"
        )


class Panel(NamedTuple):
    """One diagram, with logarithmic axes: lines by their names, each with its points in order."""

    title: str
    across: str
    upward: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


def write(figures: Iterable[Figure]) -> None:
    """Put figures into the page, in the place of former ones of the same name; all others stay."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, former = text.partition(BEGIN)
    rows = {
        line.split(" | ")[0].removeprefix("| "): f"{line}\n" for line in former.splitlines() if line.startswith("| ")
    }
    known = {name: row for name, row in rows.items() if name not in ("What", "---")}
    known |= {figure.what: figure.row() for figure in figures}
    PAGE.write_text(f"{before}{BEGIN}\n\n{HEAD}{''.join(known.values())}", encoding="utf-8")


def draw(panels: Sequence[Panel]) -> None:
    """Write the picture."""
    height = _HEIGHT * len(panels)
    drawn = "".join(_drawn(panel, _HEIGHT * number) for number, panel in enumerate(panels))
    PICTURE.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH * 3 // 2} {height}" font-family="sans-serif" '
        f'font-size="11" fill="{_GREY}">\n{drawn}</svg>\n',
        encoding="utf-8",
    )


def _drawn(panel: Panel, top: int) -> str:
    points = [point for line in panel.lines.values() for point in line]
    across = _Axis([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    upward = _Axis([y for _, y in points], top + _HEIGHT - _BOTTOM, top + _TOP)
    left, right, bottom = _LEFT - 6, _WIDTH - _RIGHT, top + _HEIGHT - _BOTTOM
    parts = [f'<text x="{left}" y="{top + 18}" font-weight="bold">{panel.title}</text>']
    parts.append(f'<path d="M{left} {top + _TOP}V{bottom + 6}H{right}" fill="none" stroke="{_GREY}"/>')
    parts.append(f'<text x="{right}" y="{bottom + 32}" text-anchor="end">{panel.across}</text>')
    parts.append(f'<text x="{left}" y="{bottom + 32}">{panel.upward}</text>')
    parts += [
        f'<text x="{across.place(x):.0f}" y="{bottom + 18}" text-anchor="middle">{x:,.0f}</text>'
        for x in sorted({x for x, _ in points})
    ]
    for y in upward.marks():
        place = upward.place(y)
        parts.append(f'<text x="{left - 4}" y="{place + 4:.0f}" text-anchor="end">{y:g}</text>')
        parts.append(f'<path d="M{left} {place:.0f}H{right}" stroke="{_GREY}" stroke-opacity=".25"/>')
    for number, (colour, (name, line)) in enumerate(zip(_COLOURS, panel.lines.items(), strict=False)):
        track = " ".join(f"{across.place(x):.1f},{upward.place(y):.1f}" for x, y in line)
        parts.append(f'<polyline points="{track}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{right + 12}" y="{top + _TOP + 12 + 16 * number}" fill="{colour}">{name}</text>')
    return "".join(f"{part}\n" for part in parts)


class _Axis:
    """A logarithmic axis between two places of the picture."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        self._low, self._high = log10(min(values)), log10(max(values))
        self._begin, self._end = begin, end

    def place(self, value: float) -> float:
        share = (log10(value) - self._low) / ((self._high - self._low) or 1)
        return self._begin + share * (self._end - self._begin)

    def marks(self) -> list[float]:
        """Round values on it."""
        steps = [factor * 10.0**power for power in range(-3, 6) for factor in (1, 2, 5)]
        return [step for step in steps if self._low <= log10(step) <= self._high]


def _milliseconds(seconds: float) -> str:
    digits = 2 if seconds < 0.01 else 1 if seconds < 1 else 0
    return f"{seconds * 1000:,.{digits}f} ms"
