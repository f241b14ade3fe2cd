"""What each contract promised when its version was last set, and whether it still keeps that.

``returns/contracts.lock.yml`` holds, for each form, the version and what a partner or a reader relies on. A contract
that says something else must say so in its version: a change that breaks a return or a query raises the major number,
an addition the minor one. ``python -m quarterday.contract_versions`` shows what has changed, with ``--renew`` it writes
the file anew, which it refuses while a version says too little.

``datacontract breaking`` was tried and does not hold for us: it takes a changed unit, a new required column and a
withdrawn allowed value for information (docs/decisions/0021-versions-of-contracts.md).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from quarterday.contracts import Column, Contract, load_contract
from quarterday.errors import OperatorError
from quarterday.settings import load_settings

LOCK_FILE = "contracts.lock.yml"
HEAD = """# What every contract promised at its version. Made: python -m quarterday.contract_versions --renew
# A test holds the contracts against it. After a breaking change raise the major version, after an addition the minor.
"""
MAJOR, MINOR, PATCH = range(3)
WORDS = ("major", "minor", "patch")

Promise = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One thing that a contract says otherwise than before; ``needs`` is the least part of the version to raise."""

    what: str
    needs: int


def promise_of(contract: Contract) -> Promise:
    """Return what others rely on of a contract, as plain data: no key holds what it leaves to the default."""
    return {
        "version": contract.version,
        "family": contract.family,
        "check_prefix": contract.check_prefix,
        "partners": sorted(contract.partners),
        "columns": {column.name: _column(column) for column in contract.columns},
    }


def _column(column: Column) -> Promise:
    said = {
        "type": column.logical_type,
        "required": column.required,
        "key": column.key_position,
        "unique": column.unique,
        "unit": column.unit,
        "unit_of_count": column.unit_of_count,
        "scale": column.scale if column.scale != 1 else None,
        "personal": column.personal,
        "minimum": column.minimum,
        "maximum": column.maximum,
        "pattern": column.pattern,
        "values": sorted(column.allowed_values),
        "measures": {code: _units(said) for code, said in sorted(column.measures.items())},
    }
    return {name: value for name, value in said.items() if value or (value == 0 and value is not False)}


def _units(said: Mapping[str, Any]) -> str:
    return " of ".join(str(said[name]) for name in ("unit", "unitOfCount") if name in said)


def changes(before: Promise, after: Promise) -> list[Change]:
    """Return every change between two promises of one form; none where only the version differs."""
    return [
        *_parts(before, after, ("family", "check_prefix")),
        *_listed("partner", before["partners"], after["partners"]),
        *_columns(before["columns"], after["columns"]),
    ]


def fault(form: str, before: Promise, after: Promise) -> str | None:
    """Say what a form's version does not admit to, or None where the version says enough.

    Args:
        form: The form's name, for the message.
        before: As the lock file has it.
        after: As the contract has it.
    """
    found = changes(before, after)
    if not found:
        return None
    needed = min(change.needs for change in found)
    least = _raised(before["version"], needed)
    if _number(after["version"]) >= _number(least):
        return None
    named = "\n".join(f"  {'breaks' if change.needs == MAJOR else 'adds'}: {change.what}" for change in found)
    return (
        f"{form}: the contract changed since version {before['version']} and says {after['version']}; it must be "
        f"{least} or later, as the {WORDS[needed]} number stands for such a change.\n{named}"
    )


def read_lock(returns_folder: Path) -> dict[str, Promise]:
    """Return what the lock file says, by form; nothing where there is no file."""
    path = returns_folder / LOCK_FILE
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


def promises(returns_folder: Path) -> dict[str, Promise]:
    """Return what the contracts of a folder say, by form."""
    folders = sorted(path.parent for path in returns_folder.glob("*/contract.odcs.yaml"))
    return {folder.name: promise_of(load_contract(folder)) for folder in folders}


def faults(returns_folder: Path) -> list[str]:
    """Return what is wrong between contracts and lock: versions that say too little, and a lock that is behind."""
    before, after = read_lock(returns_folder), promises(returns_folder)
    found = [*_too_low(before, after), *(f"{form}: the form is gone." for form in sorted(before.keys() - after.keys()))]
    behind = sorted(form for form, said in after.items() if before.get(form) != said)
    if behind and not found:
        return [f"{', '.join(behind)}: not as in {LOCK_FILE}. Run: python -m quarterday.contract_versions --renew"]
    return found


def renew(returns_folder: Path, *, drop: bool = False) -> Path:
    """Write the lock file anew from the contracts; return its path.

    Args:
        returns_folder: Where the forms are.
        drop: Whether forms that are gone may leave the file.

    Raises:
        OperatorError: A version says too little, or a form is gone. Nothing was written.
    """
    before, after = read_lock(returns_folder), promises(returns_folder)
    gone = [] if drop else sorted(before.keys() - after.keys())
    found = [*_too_low(before, after), *(f"{form}: the form is gone; --drop takes it out." for form in gone)]
    if found:
        raise OperatorError("\n".join([*found, f"{LOCK_FILE} was left as it is."]))
    path = returns_folder / LOCK_FILE
    path.write_text(HEAD + yaml.safe_dump(after, sort_keys=False, allow_unicode=True, width=120), encoding="utf-8")
    return path


def _too_low(before: Mapping[str, Promise], after: Mapping[str, Promise]) -> list[str]:
    found = (fault(form, before[form], after[form]) for form in sorted(before.keys() & after.keys()))
    return [said for said in found if said]


def _columns(before: Mapping[str, Promise], after: Mapping[str, Promise]) -> Iterator[Change]:
    for name in sorted(before.keys() - after.keys()):
        yield Change(f"column {name} is gone", MAJOR)
    for name in sorted(after.keys() - before.keys()):
        is_required = after[name].get("required", False)
        yield Change(f"column {name} is new{' and required' if is_required else ''}", MAJOR if is_required else MINOR)
    if list(before) != [name for name in after if name in before] and before.keys() <= after.keys():
        yield Change("columns stand in another order, by which checks are numbered", MAJOR)
    for name in sorted(before.keys() & after.keys()):
        for change in _column_changes(before[name], after[name]):
            yield Change(f"column {name}: {change.what}", change.needs)


def _column_changes(before: Promise, after: Promise) -> Iterator[Change]:
    yield from _parts(before, after, ("type", "key", "unique", "unit", "unit_of_count", "scale", "pattern", "personal"))
    if before.get("required") != after.get("required"):
        is_now = after.get("required", False)
        yield Change("is required now" if is_now else "need not be given any more", MAJOR if is_now else MINOR)
    yield from _limits(before, after)
    yield from _listed("allowed value", before.get("values", []), after.get("values", []))
    yield from _measures(before.get("measures", {}), after.get("measures", {}))


def _parts(before: Promise, after: Promise, names: tuple[str, ...]) -> Iterator[Change]:
    for name in names:
        if before.get(name) != after.get(name):
            yield Change(f"{name} was {before.get(name, 'not said')}, is {after.get(name, 'not said')}", MAJOR)


def _limits(before: Promise, after: Promise) -> Iterator[Change]:
    for name, sign in (("minimum", 1), ("maximum", -1)):
        old, new = before.get(name), after.get(name)
        if old != new:
            is_tighter = new is not None and (old is None or sign * new > sign * old)
            yield Change(f"{name} was {old}, is {new}", MAJOR if is_tighter else MINOR)


def _listed(what: str, before: list[str], after: list[str]) -> Iterator[Change]:
    for value in sorted(set(before) - set(after)):
        # A list that ends altogether allows more than it did.
        yield Change(f"{what} {value} is withdrawn", MAJOR if after else MINOR)
    for value in sorted(set(after) - set(before)):
        # A list where there was none allows less than before.
        yield Change(f"{what} {value} is new", MINOR if before else MAJOR)


def _measures(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for code in sorted(before.keys() - after.keys()):
        yield Change(f"measure {code} is withdrawn", MAJOR)
    for code in sorted(after.keys() - before.keys()):
        yield Change(f"measure {code} is new", MINOR)
    for code in sorted(before.keys() & after.keys()):
        if before[code] != after[code]:
            yield Change(f"measure {code} was in {before[code]}, is in {after[code]}", MAJOR)


def _number(version: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in version.split("."))
    except ValueError:
        raise OperatorError(f"version {version} is not of the kind 1.4.0.") from None


def _raised(version: str, part: int) -> str:
    number = _number(version)
    return ".".join(
        str(figure + 1 if place == part else figure if place < part else 0) for place, figure in enumerate(number)
    )


def main() -> None:
    """Show what is wrong between contracts and lock, or renew the lock."""
    parser = argparse.ArgumentParser(prog="python -m quarterday.contract_versions", description=main.__doc__)
    parser.add_argument("--renew", action="store_true", help="write the lock file anew, if the versions say enough")
    parser.add_argument("--drop", action="store_true", help="let forms that are gone leave the lock file")
    given = parser.parse_args()
    folder = load_settings().returns
    try:
        said = [str(renew(folder, drop=given.drop))] if given.renew else faults(folder)
    except OperatorError as error:
        sys.exit(str(error))
    if said and not given.renew:
        sys.exit("\n".join(said))
    print("\n".join(said) or f"Every contract is as in {LOCK_FILE}.")


if __name__ == "__main__":
    main()
