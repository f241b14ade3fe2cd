"""The image and the compose file: linted, parsed, and held to the promises of the README."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from quarterday.versioning import code_version

PROJECT = Path(__file__).parents[2]
DOCKER = PROJECT / "docker"
# Folders of the state volume, which have their places in the image.
INSIDE_THE_IMAGE = {"QUARTERDAY_HOME", "QUARTERDAY_NOTICES", "QUARTERDAY_BACKUPS"}
AIRFLOW_SERVICES = {"api-server", "scheduler", "dag-processor", "triggerer"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file, with its merges applied."""
    return dict(yaml.safe_load((DOCKER / "compose.yaml").read_text()))


def test_the_dockerfile_passes_the_linter() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), DOCKER / "Dockerfile"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_the_compose_file_passes_the_linter() -> None:
    words = [Path(sys.executable).with_name("compose-lint"), "check", "--fail-on", "high", DOCKER / "compose.yaml"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_compose_file_keeps_to_the_compose_specification(compose: dict[str, Any]) -> None:
    parsed = compose_spec.PyCompose.from_yaml(yaml.safe_dump(compose))
    parsed.validate()
    assert set(parsed.service_names()) == AIRFLOW_SERVICES | {"database", "prepare"}


def test_every_lasting_service_has_a_health_check(compose: dict[str, Any]) -> None:
    lasting = {name: service for name, service in compose["services"].items() if name != "prepare"}
    assert [name for name, service in lasting.items() if "healthcheck" not in service] == []


def test_airflow_runs_as_an_ordinary_user() -> None:
    users = re.findall(r"^USER (\S+)", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    assert users and users[-1] not in {"root", "0", "0:0"}


def test_ports_are_open_on_loopback_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)


def test_no_password_stands_in_a_file(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            is_secret = re.search("PASSWORD|SECRET|KEY|TOKEN", variable)
            assert not is_secret or str(value).startswith("/run/secrets/"), f"{name}: {variable}"
            assert not re.search(r"//[^/@]+:[^/@]+@", str(value)), f"{name}: {variable} holds a password"


def test_every_setting_of_who_is_told_and_who_watches_reaches_the_containers(compose: dict[str, Any]) -> None:
    documented = {
        name
        for page in ("notices.md", "watch.md")
        for name in re.findall(r"`(QUARTERDAY_[A-Z_]+)", (PROJECT / "docs" / "how-to" / page).read_text())
    }
    passed = compose["services"]["scheduler"]["environment"]
    assert {"QUARTERDAY_NOTIFY_MAIL", "QUARTERDAY_STATSD"} <= documented <= passed.keys() | INSIDE_THE_IMAGE
    assert {name: passed[name] for name in documented - INSIDE_THE_IMAGE} == {
        name: f"${{{name}:-}}" for name in documented - INSIDE_THE_IMAGE
    }
    for sender in ("scheduler", "triggerer"):
        assert "outside" in compose["services"][sender]["networks"], f"{sender} could reach no mail server"


def test_every_secret_named_is_one_that_is_made(compose: dict[str, Any], tmp_path: Path) -> None:
    sys.path.insert(0, str(DOCKER))
    try:
        from make_secrets import make_secrets
    finally:
        sys.path.remove(str(DOCKER))
    assert set(make_secrets(tmp_path / "secrets")) == set(compose["secrets"])
    assert make_secrets(tmp_path / "secrets") == []
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    logins = json.loads((tmp_path / "secrets" / "airflow_logins.json").read_text())
    assert len(set(logins.values())) == len(logins) == 4


def test_the_image_installs_only_what_the_project_is_locked_to() -> None:
    image, project = (
        set(re.findall(r"^([a-z0-9-]+==\S+)", path.read_text(), re.MULTILINE))
        for path in (
            DOCKER / "requirements.lock",
            PROJECT / "requirements.lock",
        )
    )
    assert image and image <= project
    assert not {line for line in image if line.startswith(("pytest==", "hadolint"))}


def test_everything_the_image_copies_is_let_through_to_the_build() -> None:
    allowed = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    sources = {word for line in copied for word in line.split()}
    assert sources <= allowed
    assert [name for name in sources if not (PROJECT / name).exists()] == ["README.md"] * (
        not (PROJECT / "README.md").exists()
    )


def test_a_release_names_the_commit_that_the_image_was_built_from(monkeypatch: pytest.MonkeyPatch) -> None:
    (variable,) = re.findall(r"(\w+)=\$CODE_VERSION", (DOCKER / "Dockerfile").read_text())
    monkeypatch.setenv(variable, "0123abc")
    assert code_version() == "0123abc"
    monkeypatch.setenv(variable, "unknown")
    assert code_version(Path("/")) == version("quarterday")
