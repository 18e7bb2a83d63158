"""What stays as it is, because somebody changed it since or because its place is taken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class UndoConflict:
    """A value that was changed again since; it stays, unless the operator says otherwise."""

    title: str
    label: str
    #: What it would have been set back to, and what stands there now.
    wanted: str
    current: str
    who: str = ""
    reason: str = ""
    #: What the set had made of it.
    made: str = ""
    #: The line of the history, to name it in `UndoPart.over`; 0 where there is no choice.
    line: int = 0
    entity: str = ""
    record_id: int = 0
