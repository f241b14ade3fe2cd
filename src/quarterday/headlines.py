"""The few tables that the demo prints: what a commissioner's office asks first, from ``mart`` as the reader sees it."""

from __future__ import annotations

HEADLINES: tuple[tuple[str, str], ...] = ()
