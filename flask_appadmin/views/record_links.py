"""Links from a record to the world outside: a call, a mail, a website, a place on the map.

They are plain links that an operator clicks; nothing is fetched from another host by a page, and where they lead does
not learn where they stood (`rel="noreferrer"`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from flask_appadmin.i18n import gettext
from flask_appadmin.specs import FieldSpec, ModelSpec, ReferenceCache, shown

#: Where an address is looked up; it stands behind the equals sign.
MAP_ADDRESS = "https://www.openstreetmap.org/search?query="

_OUTSIDE = Markup('<a href="{}" rel="noreferrer" target="_blank">{}</a>')
_BESIDE = Markup('{} <a href="{}" rel="noreferrer" target="_blank" title="{}" aria-label="{}">{}</a>')
_CALL = Markup('<a href="{}">{}</a>')


def linked(item: FieldSpec, value: Any, content: Any) -> Any:
    """What a value is drawn as, within the link it is good for; the content itself where there is none."""
    address = item.link(value)
    if not address:
        return content
    return (_OUTSIDE if address.startswith("http") else _CALL).format(address, content)


def link_of(item: FieldSpec, value: Any) -> tuple[str, str, str] | None:
    """(address, sign, words) of the link beside a field of the form."""
    address = item.link(value)
    if not address:
        return None
    sign, words = {
        "phone": ("☎", gettext("anrufen")),
        "email": ("✉", gettext("E-Mail schreiben")),
    }.get(item.kind, ("↗", gettext("Internetseite öffnen")))
    return address, sign, words


def map_link(
    spec: ModelSpec, fields: Sequence[str], values: Mapping[str, Any], names: ReferenceCache
) -> tuple[str, str, str] | None:
    """The same for a postal address: None unless two of its parts are known, since one names no place."""
    parts = [shown(spec.field(name), values.get(name), names) for name in fields]
    known = [part for part in parts if part]
    if len(known) < 2:
        return None
    return MAP_ADDRESS + quote(", ".join(known)), "↗", gettext("auf der Karte zeigen")


def with_link(content: Any, link: tuple[str, str, str] | None) -> Any:
    """A value with the sign of a link behind it."""
    return content if link is None else _BESIDE.format(content, link[0], link[2], link[2], link[1])
