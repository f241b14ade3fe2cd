"""Are the facts what was admitted? Checks on core before a release is published, from ``expectations/facts/*.yml``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg2
import yaml
from psycopg2.extensions import connection as Connection

from quarterday.checking.expectations import ExpectationsAreWrong
from quarterday.checking.suites import Assertion, CheckCouldNotRun, SuiteClock, SuiteRun, run_suite
from quarterday.errors import QuarterdayError
from quarterday.settings import load_settings

KEYS = {"id", "statement", "remedy", "differences"}
DIFFERENCES_SHOWN = 20
# What many checks say alike: that a typed line (alias ``line``) was not set aside.
NOT_SET_ASIDE = """not exists (
    select 1 from ledger.quarantined_line as issue
    where issue.load_id = line.load_id
        and issue.line_number = line.line_number
        and coalesce(issue.sheet, '') = coalesce(line.sheet, '')
)"""


@dataclass(frozen=True)
class FactCheck:
    """One check on the facts of a release.

    ``differences_sql`` gives a row for each disagreement with ``what``, ``expected`` and ``found``; ``{release_id}``
    stands for the release, ``{loads}`` for its loads and ``{not_set_aside}`` for ``NOT_SET_ASIDE``. ``differences`` are
    the first of them as sentences.
    """

    check_id: str
    statement: str
    remedy: str
    differences_sql: str
    has_passed: bool = True
    failing_count: int = 0
    differences: tuple[str, ...] = field(default=())


class FactsDoNotAgree(QuarterdayError):
    """The facts aren't what was admitted: the release must not be published. Failing checks are named with numbers."""

    def __init__(self, release_id: int, failed: Sequence[FactCheck]) -> None:
        self.failed = tuple(failed)
        lines = [f"Release {release_id}: the facts do not agree with what was admitted. Nothing was published."]
        for check in failed:
            lines.append(f"  {check.check_id} {check.statement} {check.failing_count} differences:")
            lines += [f"    {difference}" for difference in check.differences]
            lines.append(f"    {check.remedy}")
        super().__init__("\n".join(lines))


@dataclass(frozen=True)
class Examined:
    """The checks on a release's facts, each with its outcome, and what the suite took."""

    release_id: int
    checks: tuple[FactCheck, ...]
    ran: SuiteRun

    @property
    def failed(self) -> list[FactCheck]:
        """The checks that failed, with the first differences of each."""
        return [check for check in self.checks if not check.has_passed]

    def refuse_failed(self) -> None:
        """Raise if any check failed.

        Raises:
            FactsDoNotAgree: At least one did; the release must not be published.
        """
        if self.failed:
            raise FactsDoNotAgree(self.release_id, self.failed)


def check_facts(release_id: int, connection: Connection, expectations_folder: Path | None = None) -> list[FactCheck]:
    """Check a release's facts as :func:`examine_facts` does; return every check, all of them passed.

    Raises:
        FactsDoNotAgree: At least one check failed.
        CheckCouldNotRun: The database or Great Expectations could not run a check.
    """
    examined = examine_facts(release_id, connection, expectations_folder)
    examined.refuse_failed()
    return list(examined.checks)


def examine_facts(release_id: int, connection: Connection, expectations_folder: Path | None = None) -> Examined:
    """Hold a release's facts in core against ledger and typed lines, before it is published.

    Args:
        release_id: Whose facts.
        connection: Only read; a role that may read ``ledger``, ``typed`` and ``core``.
        expectations_folder: Where ``facts/*.yml`` is; the project's by default.

    Raises:
        CheckCouldNotRun: The database or Great Expectations could not run a check.
    """
    loads = _loads(release_id, connection)
    read = read_fact_checks(expectations_folder or load_settings().expectations)
    checks = [_named(check, release_id, loads) for check in read]
    clock = SuiteClock()
    failing = _profile(release_id, checks, connection)
    clock.counted()
    passed = run_suite(
        [Assertion(check.check_id, "critical", "reject_return", check.statement) for check in checks], failing
    )
    ran = clock.ran(passed)
    found = (check if passed[check.check_id] else _with_differences(check, failing, connection) for check in checks)
    return Examined(release_id, tuple(found), ran)


def read_fact_checks(expectations_folder: Path) -> list[FactCheck]:
    """Read ``facts/*.yml`` of a folder.

    Raises:
        ExpectationsAreWrong: There is none, a key is unknown or missing, or an id stands twice.
    """
    paths = sorted((expectations_folder / "facts").glob("*.yml"))
    checks = [_check(path, entry) for path in paths for entry in _entries(path)]
    ids = [check.check_id for check in checks]
    if not checks:
        raise ExpectationsAreWrong(
            f"{expectations_folder / 'facts'}: there are no checks on facts, so nothing may be published."
        )
    if twice := {check_id for check_id in ids if ids.count(check_id) > 1}:
        raise ExpectationsAreWrong(f"{expectations_folder / 'facts'}: {', '.join(sorted(twice))} stands twice.")
    return checks


def _entries(path: Path) -> list[dict[str, Any]]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or set(content) != {"checks"} or not isinstance(content["checks"], list):
        raise ExpectationsAreWrong(f"{path}: expected one key, 'checks' (a list).")
    return content["checks"]


def _check(path: Path, entry: dict[str, Any]) -> FactCheck:
    if not isinstance(entry, dict) or set(entry) != KEYS or not all(isinstance(value, str) for value in entry.values()):
        raise ExpectationsAreWrong(
            f"{path}: a check has the keys {', '.join(sorted(KEYS))}, each with text; found {entry!r}."
        )
    return FactCheck(entry["id"], entry["statement"], entry["remedy"], entry["differences"].strip().rstrip(";"))


def _profile(release_id: int, checks: Sequence[FactCheck], connection: Connection) -> dict[str, int]:
    """Count each check's differences in one row: one statement, so that all see the same state."""
    columns = [
        f'(select count(*) from ({check.differences_sql}\n) as difference) as "{check.check_id}"' for check in checks
    ]
    with connection.cursor() as cursor:
        try:
            cursor.execute("select\n" + ",\n".join(columns))
            row = cursor.fetchone() or ()
        except psycopg2.OperationalError:
            raise  # the server went away: worth another try
        except psycopg2.Error as error:
            raise CheckCouldNotRun(f"Release {release_id}: the checks on facts could not run: {error}") from error
    return {check.check_id: int(count) for check, count in zip(checks, row, strict=True)}


def _with_differences(check: FactCheck, failing: dict[str, int], connection: Connection) -> FactCheck:
    with connection.cursor() as cursor:
        cursor.execute(
            f"select what, expected, found from ({check.differences_sql}\n) as difference limit {DIFFERENCES_SHOWN}"
        )
        sentences = tuple(f"{what}: expected {expected}, found {found}" for what, expected, found in cursor.fetchall())
    return replace(check, has_passed=False, failing_count=failing[check.check_id], differences=sentences)


def _named(check: FactCheck, release_id: int, loads: Sequence[int]) -> FactCheck:
    """Return a check on one release, with its loads named by number: only then does PostgreSQL prune partitions."""
    named = {
        "{loads}": f"any('{{{', '.join(str(int(load_id)) for load_id in loads)}}}'::bigint[])",
        "{not_set_aside}": NOT_SET_ASIDE,
        "{release_id}": str(int(release_id)),
    }
    statement = check.differences_sql
    for name, text in named.items():
        statement = statement.replace(name, text)
    return replace(check, differences_sql=statement)


def _loads(release_id: int, connection: Connection) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("select load_id from ledger.release_load where release_id = %s order by load_id", (release_id,))
        return [load_id for (load_id,) in cursor.fetchall()]
