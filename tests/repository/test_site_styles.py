"""The site's styles are what their source makes, and bring nothing of GOV.UK's own brand and nothing from outside."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"
SASS = WEB / "frontend" / "node_modules" / ".bin" / "sass"


def test_the_styles_ask_for_nothing_and_have_no_crown_and_no_letters_of_govuk() -> None:
    styles = (WEB / "assets" / "quarterday.css").read_text(encoding="utf-8")
    assert re.findall(r"url\(|@import|@font-face|crown|crest|transport", styles, re.IGNORECASE) == []
    assert "MIT licence" in (WEB / "assets" / "LICENCE.txt").read_text(encoding="utf-8")


@pytest.mark.skipif(not SASS.exists(), reason="needs npm ci in web/frontend")
def test_the_styles_are_what_their_source_makes(tmp_path: Path) -> None:
    made = tmp_path / "made.css"
    command = [str(SASS), "--no-source-map", "--style=compressed", "--load-path=node_modules", "--quiet-deps"]
    subprocess.run([*command, "quarterday.scss", str(made)], cwd=WEB / "frontend", check=True, timeout=120)
    assert made.read_bytes() == (WEB / "assets" / "quarterday.css").read_bytes()
