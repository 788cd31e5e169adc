"""A report as one HTML page: no script, no font, no picture from elsewhere. It can be mailed and kept."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from liu_tui.analysis.render import Section, dollars, sections
from liu_tui.analysis.report import Report
from liu_tui.analysis.stats import realized_curve

_WIDTH, _HEIGHT = 720, 160
_STYLE = """
:root { color-scheme: light dark; }
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .4rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #8884; }
th { font-weight: 600; } .l { text-align: left; }
svg { width: 100%; height: auto; max-width: 45rem; }
"""


def page(report: Report) -> str:
    """Return the whole page."""
    title = escape(f"{report.batch.batch_id}: {dollars(report.realized)} realised")
    body = "\n".join(_table(section) for section in sections(report))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n{_curve(report)}\n{body}\n</body>\n</html>\n"
    )


def _table(section: Section) -> str:
    head = f"<thead>{_row(section.head, section.left, 'th')}</thead>" if section.head else ""
    rows = "\n".join(_row(row, section.left, "td") for row in section.rows)
    return (
        f"<h2>{escape(section.title)}</h2>\n"
        f'<div class="wide"><table>{head}<tbody>\n{rows}\n</tbody></table></div>'
    )


def _row(cells: Sequence[str], left: int, tag: str) -> str:
    made = (
        f"<{tag} class={'l' if place < left else 'n'}>{escape(cell)}</{tag}>"
        for place, cell in enumerate(cells)
    )
    return f"<tr>{''.join(made)}</tr>"


def _curve(report: Report) -> str:
    curve = realized_curve(report.trips)
    if not curve:
        return ""
    heights = [0.0, *(dollars_ for _, dollars_ in curve)]
    top, bottom = max(heights), min(heights)
    scale = _HEIGHT / (top - bottom or 1.0)
    step = _WIDTH / len(curve)
    points = " ".join(f"{n * step:.1f},{(top - height) * scale:.1f}" for n, height in enumerate(heights))
    zero = f"{top * scale:.1f}"
    return (
        f'<svg viewBox="0 -4 {_WIDTH} {_HEIGHT + 8}" role="img" aria-label="Realised dollars, trip by trip">'
        f'<line x1="0" x2="{_WIDTH}" y1="{zero}" y2="{zero}" stroke="#8888"/>'
        f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5"/></svg>'
    )
