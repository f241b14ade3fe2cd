"""The data engineers' commands of ``quarterday``: backfill, rerun, pause, resume."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

Form = Annotated[str, typer.Argument(help="The form's code: its folder in returns/.", show_default=False)]
By = Annotated[str, typer.Option("--by", help="Who says so; else the user of this machine.", show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Give the application the commands."""
    for command in (backfill, rerun, pause, resume):
        app.command()(command)


def backfill(
    form: Form,
    first: Annotated[str, typer.Argument(metavar="FROM", help="The first quarter, as 2015-16-Q1.", show_default=False)],
    last: Annotated[str, typer.Argument(metavar="TO", help="The last quarter.", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be run.")] = False,
) -> None:
    """Run again what is not released of a form, over a range of quarters, by the real DAGs.

    A return with a verdict keeps it: what was rejected is repaired only by a new return.
    Needs [bold]quarterday up[/bold].

    Example:  quarterday backfill victim_gateway 2015-16-Q1 2017-18-Q4 --dry-run
    """
    from quarterday import levers
    from quarterday.settings import load_settings
    from quarterday.showing import show_rows

    quarters = levers.backfill(form, first, last, load_settings(), dry_run)
    show_rows(
        ["quarter", "returns", "run"],
        [
            (one.quarter, one.told, one.run_id or ("would run" if one.is_undone else "nothing to do"))
            for one in quarters
        ],
        "table",
    )


def rerun(
    form: Form,
    quarter: Annotated[str, typer.Argument(help="The quarter, as 2017-18-Q3.", show_default=False)],
) -> None:
    """Run one form and quarter again by the real DAGs: land, check and release what is not yet.

    Changes nothing where all is done. Needs [bold]quarterday up[/bold].

    Example:  quarterday rerun victim_gateway 2017-18-Q3
    """
    from quarterday import levers
    from quarterday.settings import load_settings

    done = levers.rerun(form, quarter, load_settings())
    typer.echo(f"{done.key} ({done.told}) runs again as {done.run_id} of {levers.LOAD_DAG}.")


def pause(
    form: Form,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why; kept in the ledger.", show_default=False)],
    by: By = "",
) -> None:
    """Leave a form's returns unread for a while. They are still registered and archived, and nothing is lost.

    The board marks the form as [bold]paused[/bold]. What is admitted already is released.

    Example:  quarterday pause victim_gateway --reason "the consortium sends corrected workbooks on 4 May"
    """
    from quarterday import levers
    from quarterday.settings import load_settings

    waiting = levers.pause(form, by or getpass.getuser(), reason, load_settings())
    typer.echo(f"{form} is paused; {waiting} of its returns wait. To let them go on: quarterday resume {form}")


def resume(form: Form, by: By = "") -> None:
    """End a form's pause: the returns that came meanwhile are loaded now.

    Example:  quarterday resume victim_gateway
    """
    from quarterday import levers
    from quarterday.settings import load_settings

    settings = load_settings()
    keys = levers.resume(form, by or getpass.getuser(), settings)
    if not keys:
        typer.echo(f"{form} is no longer paused. Nothing came meanwhile.")
    elif levers.wake(keys, settings):
        typer.echo(f"{form} is no longer paused. Running: {', '.join(keys)}.")
    else:
        typer.echo(f"{form} is no longer paused. Airflow is not up; once it is, a sweep wakes {', '.join(keys)}.")
