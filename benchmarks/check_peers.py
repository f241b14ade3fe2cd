"""The 20 checks by hand, ours, by Soda Core and by dbt test, in one run: the second half of `peers` alone."""

from __future__ import annotations

from benchmarks import bench, peers


def main() -> None:
    """Print the table of checking."""
    options = bench.arguments(__doc__ or "", lines=1_000_000)
    path = bench.make_file(options.work, options.lines)
    with bench.warehouse_of(options.work) as settings:
        peers.check_beside(path, options, settings)


if __name__ == "__main__":
    main()
