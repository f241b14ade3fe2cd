"""Turns what is told into pages: templates in ``web/templates``, nothing from outside, no script."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from quarterday.opendata.writing import Edition
from quarterday.receipts import plain_words
from quarterday.settings import Settings
from quarterday.site import wording
from quarterday.site.charting import Shape, mark

TITLE = "Policing and crime performance"
NAVIGATION = (
    ("index.html", "Overview"),
    ("outcomes.html", "Outcomes"),
    ("actions.html", "Action plan"),
    ("areas.html", "Areas"),
    ("printed.html", "Printed figures"),
    ("returns.html", "Returns"),
    ("data.html", "Open data"),
)
ABOUT = (
    ("release.html", "Release notes and corrections"),
    ("sources.html", "Where the figures came from"),
    ("notes.html", "How to read these pages"),
    ("accessibility.html", "Accessibility statement"),
)


class Renderer:
    """Renders the pages of one release."""

    def __init__(self, edition: Edition, settings: Settings) -> None:
        """Read the templates of the project."""
        self.edition = edition
        self.environment = Environment(
            loader=FileSystemLoader(web_folder(settings) / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self.environment.filters |= {"day": _day, "quarter": wording.quarter, "name": plain_words, "picture": picture}
        self.environment.globals |= {"mark": _legend_mark}

    def page(self, template: str, path: str, values: Mapping[str, Any]) -> str:
        """Return a page.

        Args:
            template: Its template, without endings.
            path: Where it stands below the site's folder; every link is relative to it.
            values: What it shows.
        """
        return self.environment.get_template(f"{template}.html.j2").render(
            {
                **values,
                "edition": self.edition,
                "publisher_title": TITLE,
                "navigation": NAVIGATION,
                "about": ABOUT,
                "path": path,
                "up": "../" * path.count("/"),
            }
        )


def picture(chart: str) -> str:
    """Return a chart as an address that holds it."""
    drawn = str(chart).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f"data:image/svg+xml;base64,{base64.b64encode(drawn.encode()).decode()}"


def web_folder(settings: Settings) -> Path:
    """Return the folder with templates and assets."""
    return settings.project / "web"


def _day(value: date) -> str:
    return wording.day(value)


def _legend_mark(shape: Shape) -> Markup:
    return Markup(mark(shape, 8, 8))
