"""A partition key is a form and a financial quarter, and nothing else gets through."""

from __future__ import annotations

from datetime import date

import pytest
from airflow.exceptions import InvalidPartitionKeyError

from quarterday.partitions import (
    FormQuarterMapper,
    HeldLoadMapper,
    QuarterOfFormMapper,
    quarter_start,
    split_held_key,
    split_key,
)

BAD_KEYS = [
    "",
    "victim_gateway",
    "victim_gateway|",
    "|2017-18-Q3",
    "victim_gateway|2017-18-Q5",
    "a|2017-19-Q1",
    "a|Q3 2017-18",
]


def test_a_return_wakes_the_load_of_its_form_and_quarter() -> None:
    assert FormQuarterMapper().to_downstream("victim_gateway|2017-18-Q3") == "victim_gateway|2017-18-Q3"


def test_a_load_wakes_the_release_of_its_quarter() -> None:
    assert QuarterOfFormMapper().to_downstream("victim_gateway|2017-18-Q3") == "2017-18-Q3"


@pytest.mark.parametrize(
    ("key", "start"),
    [("2017-18-Q1", date(2017, 4, 1)), ("2017-18-Q3", date(2017, 10, 1)), ("2017-18-Q4", date(2018, 1, 1))],
)
def test_a_quarter_starts_at_midnight_in_london(key: str, start: date) -> None:
    moment = quarter_start(key)
    assert (moment.date(), moment.hour, str(moment.tzinfo)) == (start, 0, "Europe/London")
    assert QuarterOfFormMapper().to_partition_date(key) == moment
    assert FormQuarterMapper().to_partition_date(f"a|{key}") == moment


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(InvalidPartitionKeyError):
        split_key(key)
    with pytest.raises(InvalidPartitionKeyError):
        FormQuarterMapper().to_downstream(key)


def test_a_missing_key_is_refused() -> None:
    with pytest.raises(InvalidPartitionKeyError, match="names no form and quarter"):
        split_key(None)


def test_a_held_return_wakes_its_sign_off_and_a_quarter_wakes_none() -> None:
    mapper = HeldLoadMapper()
    assert mapper.to_downstream("victim_gateway|2017-18-Q3|76") == ["victim_gateway|2017-18-Q3|76"]
    assert mapper.to_downstream("2017-18-Q3") == []
    assert mapper.to_partition_date("victim_gateway|2017-18-Q3|76") == quarter_start("2017-18-Q3")
    assert split_held_key("victim_gateway|2017-18-Q3|76") == ("victim_gateway", "2017-18-Q3", 76)


@pytest.mark.parametrize("key", ["victim_gateway|2017-18-Q3", "victim_gateway|2017-18-Q3|", "a|2017-18-Q5|76", "a||76"])
def test_a_key_that_names_no_held_return_is_refused(key: str) -> None:
    with pytest.raises(InvalidPartitionKeyError):
        split_held_key(key)
    with pytest.raises(InvalidPartitionKeyError):
        HeldLoadMapper().to_downstream(key)
