"""The page of a release for which nothing was measured anew: that of the measured one, which says so at its top.

Owns what is put into a page that is there; its places are marked in `templates/report.html`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final

TITLE: Final = re.compile(r"<title>.*?</title>", re.DOTALL)
PLACE: Final = re.compile(r"<!-- carried -->.*?<!-- /carried -->", re.DOTALL)


def carried(page: str, manifest: Mapping[str, Any]) -> str:
    """Return the page of the release that was measured, or a copy of it, as that of the release of a manifest."""
    release_id, of = manifest["release_id"], manifest["measured_for"]
    title = f"<title>{escape(f'Release {release_id}, measured as {of}')}</title>"
    words = (
        f'<p class="lead">This is release <code>{escape(release_id)}</code> of run <code>{escape(manifest["run_id"])}'
        f"</code>. Nothing that its numbers depend on was new, so they were not measured again: all below was measured "
        f"for release <code>{escape(of)}</code>, {escape(manifest['measured_at'][:16].replace('T', ' '))} UTC, and "
        "tells of that one and its run.</p>"
    )
    place = f"<!-- carried -->{words}<!-- /carried -->"
    return PLACE.sub(lambda _: place, TITLE.sub(lambda _: title, page, count=1), count=1)
