"""Pages that are asked for as windows over another page (static/appadmin/js/windows.js, window.html)."""

from __future__ import annotations

from typing import Any

from flask import Response, request


def in_window() -> bool:
    """Whether this page is asked for as a window."""
    return request.headers.get("X-Fragment") == "window"


def for_window(answer: Any) -> Any:
    """The answer to a page or a window: a window is told in a header where the page below goes when it is done.

    `X-Record` of the answer goes along: key and title (quoted) of what was made, for the field that asked for it.
    """
    if in_window() and isinstance(answer, Response) and answer.status_code == 302:
        made = {name: value for name, value in answer.headers.items() if name == "X-Record"}
        return Response(status=204, headers={"X-Location": answer.location, **made})
    return answer
