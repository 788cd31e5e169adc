"""The few signs beyond letters and digits, in Unicode and for terminals that know ASCII only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Signs:
    """up, down: a gain, a loss; flat: neither. eighths: volume bars, lowest first. bought, sold: fills."""

    up: str
    down: str
    flat: str
    cursor: str
    rule: str
    sep: str
    more: str
    dot: str
    bought: str
    sold: str
    eighths: str
    ascii: bool


UNICODE = Signs("▲", "▼", " ", "▌", "─", "│", ">", "·", "▲", "▼", "▁▂▃▄▅▆▇█", ascii=False)
ASCII = Signs("^", "v", " ", ">", "-", "|", ">", ".", "B", "S", "..::||##", ascii=True)


def signs_for(*, ascii_only: bool, encoding: str) -> Signs:
    """Choose signs: ASCII if asked for, or if the terminal's encoding is not UTF-8."""
    utf8 = encoding.lower().replace("-", "").replace("_", "") == "utf8"
    return ASCII if ascii_only or not utf8 else UNICODE
