"""Four palettes: what a tone looks like on a ground, and the Textual themes that carry the rest.

A tone says what a text means (up, down, warn, ...); a ground says what it lies on (row, cursor, title, ...).
Colour is never the only sign of anything. Contrasts were checked against reference values of 4.5:1 or more;
liu-cb's blue and orange are those of Okabe and Ito, told apart by every kind of colour vision.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

TONES = (
    "text", "dim", "faint", "bold", "up", "down", "good", "warn", "error", "accent", "key",
    "paper", "live", "alarm", "caution", "vwap", "volume",
)  # fmt: skip
GROUNDS = (
    *("row", "cursor", "cursor_off", "title", "title_on", "header", "bar", "dialog", "pick"),
    *("danger", "heed"),
)
FRAME = ("title", "title_on", "bar")
"""Grounds of the frame; the account being LIVE changes them."""


@dataclass
class Palette:
    """Styles by tone and by ground. plain: grounds on which tones show no colour of their own.

    live: the frame's grounds when the account is real
    """

    theme: Theme
    tones: dict[str, Style]
    grounds: dict[str, Style]
    live: dict[str, Style]
    plain: frozenset[str] = frozenset()
    _made: dict[tuple[str, str], Style] = field(default_factory=dict)

    def style(self, tone: str, ground: str) -> Style:
        """Tell how a tone is drawn on a ground."""
        style = self._made.get((tone, ground))
        if style is None:
            under, over = self.grounds[ground], self.tones[tone]
            style = under + Style(bold=over.bold) if ground in self.plain else under + over
            self._made[tone, ground] = style
        return style

    def in_live(self) -> Palette:
        """The same with the frame of a real account."""
        plain = self.plain | ({*FRAME} if self.theme.ansi else {"title_on"})
        return replace(self, grounds={**self.grounds, **self.live}, plain=plain, _made={})


@dataclass(frozen=True)
class Colours:
    """The colours that make a palette. bg, bar, lit: of rows, of bars and titles, of the cursor.

    frame: of bars and titles when the account is real
    """

    bg: str
    bar: str
    lit: str
    lit_off: str
    text: str
    dim: str
    faint: str
    up: str
    down: str
    warn: str
    error: str
    accent: str
    on_accent: str
    paper: str
    live: str
    volume: str
    vwap: str
    frame: str
    dark: bool = True


DARK = Colours(
    bg="#0d1117", bar="#1c2430", lit="#264f78", lit_off="#222c3a", text="#d6dee8", dim="#93a1b0",
    faint="#6e7b8a", up="#4fc765", down="#ff7b72", warn="#e3b341", error="#ff6a69",
    accent="#79c0ff", on_accent="#0d1117",
    paper="#2f81f7", live="#d1242f", volume="#4a5a6c", vwap="#d2a8ff", frame="#6a0d16",
)  # fmt: skip
LIGHT = Colours(
    bg="#ffffff", bar="#e4e9ef", lit="#b6daff", lit_off="#e3e8ee", text="#1b2128", dim="#48525d",
    faint="#5f6a76", up="#11682c", down="#b3141d", warn="#7a5200", error="#b3141d",
    accent="#0550ae", on_accent="#ffffff",
    paper="#0a53b8", live="#b3141d", volume="#9aa7b4", vwap="#7d3fc4", frame="#ffc4c0", dark=False,
)  # fmt: skip
CB = Colours(
    bg="#0d1117", bar="#1c2430", lit="#3a4657", lit_off="#222c3a", text="#d6dee8", dim="#93a1b0",
    faint="#6e7b8a", up="#56b4e9", down="#e69f00", warn="#f0e442", error="#f0a35e",
    accent="#9fc9ea", on_accent="#0d1117",
    paper="#0072b2", live="#b04a00", volume="#4a5a6c", vwap="#cc79a7", frame="#5c2a00",
)  # fmt: skip


def coloured(name: str, colours: Colours) -> Palette:
    """Make a palette of true colours; they survive being rounded to 256."""
    c = colours
    on_badge = "#ffffff"
    tones = {
        "text": Style(color=c.text),
        "dim": Style(color=c.dim),
        "faint": Style(color=c.faint),
        "bold": Style(color=c.text, bold=True),
        "up": Style(color=c.up),
        "down": Style(color=c.down),
        "good": Style(color=c.up),
        "warn": Style(color=c.warn),
        "error": Style(color=c.error, bold=True),
        "accent": Style(color=c.accent),
        "key": Style(color=c.accent, bold=True),
        "paper": Style(color=on_badge, bgcolor=c.paper, bold=True),
        "live": Style(color=on_badge, bgcolor=c.live, bold=True),
        "alarm": Style(color=on_badge, bgcolor=c.live, bold=True),
        "caution": Style(color=c.bg, bgcolor=c.warn, bold=True),
        "vwap": Style(color=c.vwap),
        "volume": Style(color=c.volume),
    }
    grounds = {
        "row": Style(color=c.text, bgcolor=c.bg),
        "cursor": Style(color=c.text, bgcolor=c.lit),
        "cursor_off": Style(color=c.text, bgcolor=c.lit_off),
        "title": Style(color=c.dim, bgcolor=c.bar),
        "title_on": Style(color=c.on_accent, bgcolor=c.accent, bold=True),
        "header": Style(color=c.faint, bgcolor=c.bg),
        "bar": Style(color=c.text, bgcolor=c.bar),
        "dialog": Style(color=c.text, bgcolor=c.bar),
        "pick": Style(color=c.on_accent, bgcolor=c.accent, bold=True),
        "danger": Style(color=on_badge, bgcolor=c.live, bold=True),
        "heed": Style(color=c.bg, bgcolor=c.warn, bold=True),
    }
    live = {
        "title": Style(color=c.text, bgcolor=c.frame),
        "title_on": Style(color=on_badge, bgcolor=c.live, bold=True),
        "bar": Style(color=c.text, bgcolor=c.frame),
    }
    theme = Theme(
        name=name, primary=c.accent, warning=c.warn, error=c.error, success=c.up, accent=c.accent,
        foreground=c.text, background=c.bg, surface=c.bar, panel=c.bar, dark=c.dark,
    )  # fmt: skip
    return Palette(theme, tones, grounds, live, frozenset({"title_on", "pick", "danger", "heed"}))


def ansi() -> Palette:
    """Make the palette of the terminal's own sixteen colours; it also reads without any colour."""
    tones = {
        "text": Style(),
        "dim": Style(),
        "faint": Style(dim=True),
        "bold": Style(bold=True),
        "up": Style(color="green"),
        "down": Style(color="red"),
        "good": Style(color="green"),
        "warn": Style(color="yellow", bold=True),
        "error": Style(color="red", bold=True),
        "accent": Style(color="cyan"),
        "key": Style(bold=True),
        "paper": Style(reverse=True, bold=True),
        "live": Style(color="red", reverse=True, bold=True),
        "alarm": Style(color="red", reverse=True, bold=True),
        "caution": Style(color="yellow", reverse=True, bold=True),
        "vwap": Style(color="magenta"),
        "volume": Style(dim=True),
    }
    grounds = {
        "row": Style(color="default", bgcolor="default"),
        "cursor": Style(reverse=True),
        "cursor_off": Style(underline=True, color="default", bgcolor="default"),
        "title": Style(underline=True, color="default", bgcolor="default"),
        "title_on": Style(reverse=True, bold=True),
        "header": Style(dim=True, color="default", bgcolor="default"),
        "bar": Style(color="default", bgcolor="default"),
        "dialog": Style(color="default", bgcolor="default"),
        "pick": Style(reverse=True, bold=True),
        "danger": Style(color="red", reverse=True, bold=True),
        "heed": Style(color="yellow", reverse=True, bold=True),
    }
    live = {
        "title": Style(color="red", reverse=True),
        "title_on": Style(color="red", reverse=True, bold=True, underline=True),
        "bar": Style(color="red", reverse=True, bold=True),
    }
    plain = "ansi_default"
    theme = Theme(
        name="liu-ansi", primary="ansi_cyan", warning="ansi_yellow", error="ansi_red", success="ansi_green",
        accent="ansi_cyan", foreground=plain, background=plain, surface=plain, panel=plain, boost=plain,
        ansi=True,
        variables=BUILTIN_THEMES["ansi-dark"].variables,
    )  # fmt: skip
    flat = frozenset({"cursor", "title_on", "pick", "danger", "heed"})
    return Palette(theme, tones, grounds, live, flat)


def palettes() -> dict[str, Palette]:
    """Make the four palettes by name, the usual one first."""
    made = (coloured("liu-dark", DARK), coloured("liu-light", LIGHT), coloured("liu-cb", CB), ansi())
    return {palette.theme.name: palette for palette in made}
