"""Great Expectations, kept small: a suite that asserts on a one-row profile that nothing fails."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quarterday.errors import QuarterdayError


class CheckCouldNotRun(QuarterdayError):
    """A check failed to run. That is our fault, not the partner's: nothing is judged and nothing is written."""


@dataclass(frozen=True)
class Assertion:
    """What Great Expectations is told of a check: the profile's column of that id must be nought."""

    check_id: str
    severity: str
    action: str
    statement: str


@dataclass(frozen=True)
class SuiteRun:
    """One suite: how many checks, how many of them failed, lines looked at, seconds to count and to assert."""

    check_count: int
    failed_count: int
    line_count: int | None
    profile_seconds: float
    suite_seconds: float


class SuiteClock:
    """Takes the time of a suite's two parts: begin with it, say when all is counted, and ask when all is asserted."""

    def __init__(self) -> None:
        self._began = self._counted_at = time.monotonic()

    def counted(self) -> None:
        """Say that the database has counted the failures of every check."""
        self._counted_at = time.monotonic()

    def ran(self, passed: Mapping[str, bool], line_count: int | None = None) -> SuiteRun:
        """Return the run, which ends now."""
        failed = sum(not has_passed for has_passed in passed.values())
        counting, asserting = self._counted_at - self._began, time.monotonic() - self._counted_at
        return SuiteRun(len(passed), failed, line_count, round(counting, 3), round(asserting, 3))


def run_suite(assertions: Sequence[Assertion], failing: Mapping[str, int]) -> dict[str, bool]:
    """Let Great Expectations assert on a profile; return whether each check passed, by id.

    Args:
        assertions: One for each check.
        failing: The profile: failures by check id.

    Raises:
        CheckCouldNotRun: An expectation was dropped from the suite, raised an error or gave no result.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read at its import, which costs seconds: hence here
    import great_expectations
    import pandas

    # This one asks to tell of every temporary folder; what a person or a task's log should read is the verdict.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    specifications = [_expectation(assertion) for assertion in assertions]
    suite = great_expectations.ExpectationSuite(name="load", expectations=specifications)
    _refuse_dropped(suite.expectations, assertions)
    context = great_expectations.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("profiles").add_dataframe_asset("profile")
    frame = pandas.DataFrame([dict(failing)])
    batch = asset.add_batch_definition_whole_dataframe("load").get_batch(batch_parameters={"dataframe": frame})
    return _passed(batch.validate(suite, result_format="BOOLEAN_ONLY").results, assertions)


def _expectation(assertion: Assertion) -> dict[str, Any]:
    # The cheapest expectation on one row: it needs one metric, where those on values need three.
    return {
        "type": "expect_column_max_to_be_between",
        "kwargs": {"column": assertion.check_id, "min_value": 0, "max_value": 0},
        "severity": assertion.severity,
        "meta": {"check_id": assertion.check_id, "action": assertion.action, "statement": assertion.statement},
    }


def _refuse_dropped(expectations: Sequence[Any], assertions: Sequence[Assertion]) -> None:
    """An expectation of unknown type or severity is logged and dropped, and the suite passes without it."""
    kept = {expectation.meta["check_id"] for expectation in expectations}
    dropped = [assertion.check_id for assertion in assertions if assertion.check_id not in kept]
    if dropped or len(expectations) != len(assertions):
        raise CheckCouldNotRun(
            f"Great Expectations took {len(expectations)} of {len(assertions)} checks"
            f"{': it dropped ' + ', '.join(dropped) if dropped else ''}. "
            "Look at their severity in contract and expectations."
        )


def _passed(results: Sequence[Any], assertions: Sequence[Assertion]) -> dict[str, bool]:
    passed = {}
    for result in results:
        check_id = result.expectation_config.meta["check_id"]
        if _has_raised(result.exception_info or {}):
            raise CheckCouldNotRun(f"Great Expectations could not run {check_id}: {result.exception_info}")
        passed[check_id] = bool(result.success)
    missing = [assertion.check_id for assertion in assertions if assertion.check_id not in passed]
    if missing:
        raise CheckCouldNotRun(f"Great Expectations gave no result for {', '.join(missing)}.")
    return passed


def _has_raised(information: Mapping[str, Any]) -> bool:
    """Say whether an expectation raised; the information is flat, or keyed by metric."""
    if "raised_exception" in information:
        return bool(information["raised_exception"])
    return any(inner.get("raised_exception") for inner in information.values() if isinstance(inner, Mapping))
