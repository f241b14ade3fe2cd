"""From landed to typed, checked and in a table of core, against the bare COPY of the same file: CPU."""

from __future__ import annotations

from benchmarks import bench, check, land
from quarterday.checking.judging import judge_load
from quarterday.contracts import load_forms
from quarterday.warehouse import connect


def main() -> None:
    """Print the table of `core`."""
    options = bench.arguments(__doc__ or "")
    path = bench.make_file(options.work, options.lines)
    path.chmod(0o644)
    with bench.warehouse_of(options.work) as settings, check.landed(path, settings) as (load_id, loader):
        form = load_forms(settings.returns)[bench.FORM]
        names = ", ".join(f'"{column.name}"' for column in form.contract.columns)
        with connect(settings, "owner") as owner:

            def run() -> None:
                judge_load(load_id, form, loader, settings.expectations)
                with owner.cursor() as cursor:
                    cursor.execute(
                        f"create table core.crime_of_benchmark as select load_id, line_number, {names} "
                        f"from typed.street_crime where load_id = {load_id}"
                    )

            def undo() -> None:
                loader.rollback()
                owner.rollback()

            way = bench.Way("landed to core", run, undo)
            rows = bench.compare(land.bare_copy(path, settings), [way], options.pairs, settings)
    bench.show(f"From landed to core, {options.lines:,} lines", rows)


if __name__ == "__main__":
    main()
