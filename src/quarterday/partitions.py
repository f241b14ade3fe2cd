"""Financial quarters as native Airflow partitions: three mappers, and the plugin that registers them.

A partition key is a financial quarter (``2017-18-Q3``), a form and a quarter (``victim_gateway|2017-18-Q3``), or these
and a held load (``victim_gateway|2017-18-Q3|76``).
"""

from __future__ import annotations

from datetime import datetime

import pendulum
from airflow.exceptions import InvalidPartitionKeyError
from airflow.partition_mappers.base import PartitionMapper
from airflow.plugins_manager import AirflowPlugin

from quarterday.calendar import FinancialQuarter

TIMEZONE = "Europe/London"


def quarter_start(key: str) -> datetime:
    """Return midnight of a quarter's first day, in London.

    Raises:
        InvalidPartitionKeyError: The key is no financial quarter.
    """
    try:
        quarter = FinancialQuarter.parse(key)
        if str(quarter) != key:
            raise ValueError(key)
    except ValueError as error:
        raise InvalidPartitionKeyError(f"{key!r} is no financial quarter: expected a key such as 2017-18-Q3") from error
    midnight: datetime = pendulum.datetime(quarter.start.year, quarter.start.month, 1, tz=TIMEZONE)
    return midnight


def split_key(key: str | None) -> tuple[str, str]:
    """Return (form, quarter) of a key such as ``victim_gateway|2017-18-Q3``.

    Raises:
        InvalidPartitionKeyError: There is no key, or it has no form, or its quarter is none.
    """
    form, _, quarter = (key or "").partition("|")
    if not form or not quarter:
        raise InvalidPartitionKeyError(
            f"{key!r} names no form and quarter: expected a key such as victim_gateway|2017-18-Q3"
        )
    quarter_start(quarter)
    return form, quarter


def split_held_key(key: str | None) -> tuple[str, str, int]:
    """Return (form, quarter, load) of a key such as ``victim_gateway|2017-18-Q3|76``.

    Raises:
        InvalidPartitionKeyError: The key names no load, or what comes before it is no form and quarter.
    """
    start, _, load = (key or "").rpartition("|")
    if not load.isdecimal():
        raise InvalidPartitionKeyError(
            f"{key!r} names no held return: expected a key such as victim_gateway|2017-18-Q3|76"
        )
    return *split_key(start), int(load)


class FormQuarterMapper(PartitionMapper):
    """Keeps ``form|quarter`` as it is, and refuses a key that is none."""

    def to_downstream(self, key: str) -> str:
        """Return the same key."""
        split_key(key)
        return key

    def to_partition_date(self, downstream_key: str) -> datetime:
        """Return the start of the key's quarter."""
        return quarter_start(split_key(downstream_key)[1])


class QuarterOfFormMapper(PartitionMapper):
    """Maps ``form|quarter`` to the quarter, so that any form's arrival wakes the quarter's release."""

    def to_downstream(self, key: str) -> str:
        """Return the key's quarter."""
        return split_key(key)[1]

    def to_partition_date(self, downstream_key: str) -> datetime:
        """Return the quarter's start."""
        return quarter_start(downstream_key)


class HeldLoadMapper(PartitionMapper):
    """Keeps ``form|quarter|load``; a quarter's key, which a release emits that holds nothing, wakes nobody."""

    def to_downstream(self, key: str) -> list[str]:
        """Return the same key, or none for a quarter."""
        if "|" not in key:
            return []
        split_held_key(key)
        return [key]

    def to_partition_date(self, downstream_key: str) -> datetime:
        """Return the start of the key's quarter."""
        return quarter_start(split_held_key(downstream_key)[1])


class FinancialQuarterPlugin(AirflowPlugin):
    """Registers the mappers with every Airflow component."""

    name = "quarterday_financial_quarters"
    partition_mappers = [FormQuarterMapper, QuarterOfFormMapper, HeldLoadMapper]
