"""One question to a vendor: what came back, or that nothing did. Nothing is tried twice."""

from collections.abc import Mapping
from typing import Any

import aiohttp

TIMEOUT_S = 4.0


async def ask(url: str, headers: Mapping[str, str], timeout_s: float) -> tuple[int, dict[str, Any]]:
    """Return status and JSON of a GET; status 0 if nothing came back in time, {} for what is no object."""
    limit = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit, trust_env=True) as session,
            session.get(url, headers=headers) as answer,
        ):
            body = await answer.json(content_type=None)
            return answer.status, body if isinstance(body, dict) else {}
    except ValueError:
        return answer.status, {}
    except (aiohttp.ClientError, TimeoutError, OSError):
        return 0, {}


def unanswered(status: int) -> str:
    """Say what came instead of the answer."""
    return f"answered with status {status}" if status else "cannot be reached"
