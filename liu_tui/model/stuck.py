"""What a flatten cannot close now, and why, in few words: for the log and for the screen."""

from collections.abc import Callable, Sequence

Stuck = tuple[str, float, str]
"""Symbol, signed shares, why."""
FEW = 2
"""So many of one reason are named, each with it; of more these, then how many there are, then the reason."""
NAMED = 6
"""So many are named one by one."""


def stuck_words(stuck: Sequence[Stuck], write: Callable[[float], str] = "{:+g}".format) -> str:
    """List what cannot be closed: "MSFT +100 halted, TSLA -50 halted".

    What many have in common comes last, and once: "F +5, MARA +9 and 7 more: its closing order waits".
    write: shares as they are to be read
    """
    reasons: dict[str, list[str]] = {}
    for symbol, qty, why in stuck:
        reasons.setdefault(why, []).append(f"{symbol} {write(qty)}")
    alone = [f"{name} {why}" for why, names in reasons.items() if len(names) <= FEW for name in names]
    more = f" and {len(alone) - NAMED} more" if len(alone) > NAMED else ""
    shared = [
        f"{', '.join(names[:FEW])} and {len(names) - FEW} more: {why}"
        for why, names in reasons.items()
        if len(names) > FEW
    ]
    return "; ".join([*([", ".join(alone[:NAMED]) + more] if alone else []), *shared])
