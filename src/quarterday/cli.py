"""The command ``quarterday``. Imports stand inside the commands, so that help comes at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quarterday import lever_commands, reader_commands, runbooks
from quarterday.errors import OperatorError, QuarterdayError, ReturnRejected

if TYPE_CHECKING:
    from quarterday.past import Kind
    from quarterday.settings import Settings
    from quarterday.showing import RowFormat

EXIT_REJECTED = 1
EXIT_OPERATOR = 2
EXIT_FAULT = 3
EXIT_INTERRUPTED = 130
PUBLIC_REASON = "Why, for everybody: the site and the open data have it, so name nobody."
REASON_IN_NOTE = "Why; kept in the ledger, and in the correction note, which goes out: name nobody."
REASON_INSIDE = "Why; kept in the ledger, and not published."

app = typer.Typer(
    name="quarterday",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="""The quarterly performance warehouse of a police and crime commissioner's office.

    Partners' returns go into the inbox; checked facts come out for business intelligence tools.

    [bold]To begin:[/bold]  quarterday demo   (everything once, on the returns in demo/, then stops)

    [bold]To work:[/bold]   quarterday up,  then load a file,  query the warehouse,  and at last quarterday down

    All state is in one folder, .quarterday in the project, or the one that QUARTERDAY_HOME names.""",
)

Partner = Annotated[
    str, typer.Option("--partner", "-p", help="Who sent it, by the code in the form's contract, as citizens_advice.")
]
File = Annotated[Path, typer.Argument(help="The return as the partner sent it.", show_default=False)]


Debug = Annotated[bool, typer.Option("--debug", help="Show where in the code an error arose.")]
Statement = Annotated[
    str, typer.Argument(help="One select statement; - reads it from standard input.", show_default=False)
]


@app.callback()
def options(debug: Debug = False) -> None:
    """Options for every command; ``main`` reads --debug from the command line."""


@app.command()
def up() -> None:
    """Start the database and Airflow, and stay until [bold]quarterday down[/bold].

    Example:  quarterday up
    """
    from quarterday import services

    settings = _settings()
    with _steps() as tell:
        running = services.up(settings, tell)
    services.keep_up(settings)
    fresh = "started" if running.services_started else "were running already; ready"
    typer.echo(f"Database and Airflow {fresh} after {running.seconds:.0f} s.")
    typer.echo(f"Airflow    {services.airflow_url(settings)}   users and passwords: {services.login_file(settings)}")
    typer.echo(f"Inbox      {settings.inbox}/<partner>/   or: quarterday load FILE --partner CODE")


@app.command()
def down() -> None:
    """Stop the database and Airflow. What was loaded stays.

    Example:  quarterday down
    """
    from quarterday import services

    stopped = services.down(_settings())
    typer.echo(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


@app.command()
def migrate() -> None:
    """Bring the warehouse's schemas, roles, forms and marts up to the code, without Airflow. Safe to repeat.

    Example:  quarterday migrate
    """
    from quarterday import releasing, server, warehouse

    settings = _settings()
    server.start(settings)
    warehouse.migrate(settings)
    releasing.deploy_marts(settings)
    typer.echo("The warehouse is up to the code.")


@app.command()
def status(
    form: Annotated[str | None, typer.Option("--form", "-f", help="Only a form's returns.")] = None,
    partner: Annotated[str | None, typer.Option("--partner", "-p", help="Only a partner's.")] = None,
    priority: Annotated[str | None, typer.Option(help="Only of a priority, as plan_2017.modern_policing.")] = None,
    quarter: Annotated[str | None, typer.Option("--quarter", "-q", help="Only of a quarter, as 2017-18-Q3.")] = None,
    state: Annotated[str | None, typer.Option("--state", "-s", help="Only those in a state, as rejected.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as one object.")] = False,
) -> None:
    """Show what runs, where the returns stand, and the last releases; with an option, each return that is asked for.

    Exits with 1 when something is not running. The same as the board in Airflow.

    Examples:

    quarterday status

    quarterday status --state late --partner citizens_advice
    """
    from quarterday import showing
    from quarterday.operating.board import Asked, refuse_unknown

    asked = Asked(form, partner, priority, quarter, state)
    refuse_unknown(asked)
    show = showing.print_status if as_json else showing.show_status
    if not show(asked, _settings()):
        raise typer.Exit(EXIT_REJECTED)


@app.command()
def explain(
    load_id: Annotated[int, typer.Argument(metavar="LOAD", help="The load's number.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as one object.")] = False,
) -> None:
    """Explain a load: what came, what became of it, which lines fail which checks, and what to do next.

    Example:  quarterday explain 12
    """
    from quarterday.operating.telling import show_load

    show_load(load_id, as_json, _settings())


@app.command()
def check(
    file: File,
    partner: Annotated[
        str | None,
        typer.Option("--partner", "-p", help="Who sent it; needed where more than one partner sends the form."),
    ] = None,
) -> None:
    """Judge a return without loading it, and print the receipt that its partner would get.

    Exits with 1 when the return would be rejected. Needs the database, not Airflow. A form that is new or changed
    in returns/ is judged as it stands there.

    Example:  quarterday check stoke_yos_fte_2017-18-Q3.csv --partner yos_stoke
    """
    from quarterday import loading
    from quarterday.contracts import load_forms
    from quarterday.identifying import only_partner

    settings = _settings()
    file = _existing(file)
    partner = partner or only_partner(file.name, load_forms(settings.returns))
    if not (settings.home / "server.url").exists() and not settings.server_url:
        migrate()
    with _server(settings):
        verdict, receipt = loading.check_file(file, partner, settings)
    typer.echo("Only checked: nothing was loaded, and the number is not kept. The receipt would be:\n", err=True)
    typer.echo(receipt)
    if not verdict.is_admitted:
        raise typer.Exit(EXIT_REJECTED)


@app.command()
def template(
    form: Annotated[str, typer.Argument(help="The form's code: its folder in returns/.", show_default=False)],
    quarter: Annotated[str, typer.Argument(help="The quarter to report, as 2017-18-Q3.", show_default=False)],
    partner: Annotated[
        str | None, typer.Option("--partner", "-p", help="For whom, where several send the form.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="A folder, or the file to write.")] = None,
) -> None:
    """Write the blank workbook that a partner fills in for a quarter.

    Its headings are those of the form's newest edition, so the filled workbook loads as it is. Cells say what they
    take; rows that the contract knows are written; the last admitted figures stand on a sheet that the loader leaves
    out. Says when it is due. Writes over nothing.

    Example:  quarterday template victim_gateway 2018-19-Q1 --output outbox/
    """
    from quarterday.blanks.template import make_template, show

    show(make_template(form, quarter, partner, output, _settings()))


@app.command("new-form")
def new_form(
    file: Annotated[Path, typer.Argument(help="A sample: a return as its partner sends it.", show_default=False)],
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="The form's code; else from the file's name.")
    ] = None,
    partner: Annotated[str | None, typer.Option("--partner", "-p", help="The code of who sends it.")] = None,
    family: Annotated[str | None, typer.Option("--family", "-f", help="indicator or register; else guessed.")] = None,
) -> None:
    """Draft a form from a sample file: a first contract and layout in returns/, to edit.

    Says what it found, what it guessed and what is left to decide. What it can't know is marked FILL IN, and no form
    loads before that is written over. Takes xlsx, xls, ods and csv; writes over nothing.

    An [bold]indicator[/bold] form holds figures (measure, breakdown, area, period, value) and needs no code; a
    [bold]register[/bold] form holds things (a crime, a grant, an action) and needs a staging model.

    Example:  quarterday new-form "Drug service 2026-27 Q1.csv" --partner drug_service

    What to do next: docs/how-to/add-a-form.md
    """
    from quarterday.sketching.sketch import sketch_form
    from quarterday.sketching.telling import show

    show(sketch_form(_existing(file), _settings(), name, partner, family))


@app.command()
def load(file: File, partner: Partner) -> None:
    """Put a return into the inbox, wait for its verdict, and print its receipt.

    Exits with 1 when the return is rejected. Needs [bold]quarterday up[/bold]. To try it out and load nothing:
    [bold]quarterday check[/bold].

    Example:  quarterday load "Business Crime Advisor 2017-18 Q3.csv" --partner chamber_of_commerce
    """
    from quarterday import delivering

    with _steps() as tell:
        verdict, receipt = delivering.deliver(_existing(file), partner, _settings(), tell)
    typer.echo(receipt)
    if verdict == "rejected":
        raise typer.Exit(EXIT_REJECTED)


@app.command()
def diff(
    load_id: Annotated[
        int | None, typer.Argument(metavar="[LOAD]", help="One load that is not released.", show_default=False)
    ] = None,
    release_id: Annotated[
        int | None, typer.Option("--release", help="The open release, or a published one's note.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as one object.")] = False,
) -> None:
    """Show what would change for readers: of the open or next release, or of one admitted load alone.

    Figures before and after, new, restated and vanished; ratings of outcomes and priorities; and which reports
    printed the old value. Nothing is built or published. Of a published release its correction note is shown.

    Examples:

    quarterday diff

    quarterday diff 76 --json
    """
    from quarterday.restating import showing
    from quarterday.restating.asking import changes_asked_for, note_of_published

    settings = _settings()
    note = note_of_published(release_id, settings) if release_id and load_id is None else None
    if note is not None:
        print(note)
        return
    of_what, changes = changes_asked_for(load_id, release_id, settings)
    showing.show_changes(changes, of_what, as_json, settings)


@app.command("sign-off")
def sign_off(
    load_id: Annotated[
        int | None, typer.Argument(metavar="[LOAD]", help="The load that waits.", show_default=False)
    ] = None,
    approve: Annotated[bool, typer.Option("--approve", help="Let it be released as shown.")] = False,
    decline: Annotated[bool, typer.Option("--decline", help="Keep it from being released.")] = False,
    by: Annotated[str, typer.Option("--by", help="Who decides: a user whom the rules name.", show_default=False)] = "",
    reason: Annotated[str, typer.Option("--reason", "-r", help=REASON_IN_NOTE, show_default=False)] = "",
) -> None:
    """Show which restatements wait for a named person's approval, or decide on one.

    The same can be done in Airflow, where the login says who decides: Browse, Required Actions. What is approved is
    exactly what is shown; if that changes before the release, it is asked again.

    Examples:

    quarterday sign-off

    quarterday sign-off 76 --approve --by approver --reason "recounted by the service; told on 4 May"
    """
    from quarterday.restating import deciding

    if load_id is None:
        deciding.show_waiting(_settings())
        return
    if approve == decline:
        raise OperatorError("Give --approve or --decline, with --by and --reason.")
    key = deciding.decide_by_hand(load_id, "approved" if approve else "declined", by, reason, _settings())
    print(f"Load {load_id} ({key}) is {'approved' if approve else 'declined'} by {by}.", deciding.AFTER[approve])


@app.command()
def accept(
    load_id: Annotated[int, typer.Argument(metavar="LOAD", help="The load's number.", show_default=False)],
    checks: Annotated[list[str], typer.Option("--check", help="A check, as the receipt names it.", show_default=False)],
    by: Annotated[str, typer.Option("--by", help="Who asks for it.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", "-r", help=REASON_IN_NOTE, show_default=False)],
) -> None:
    """Ask for set-aside lines of a return to be taken in by exception; a named person has to approve.

    [dim]quarterday accept 12 --check VGW-005 --by operator --reason "the service confirmed the figure on 4 May"[/dim]

    Of a released return the same file is read again, and takes its place once the exception is approved.
    """
    from quarterday.restating.accepting import accept_lines

    found = accept_lines(load_id, checks, reason, by, _settings())
    lines = "1 line" if found.line_count == 1 else f"{found.line_count} lines"
    again = f" The return is read again as load {found.load_id}, from the next sweep on." if found.is_read_again else ""
    print(f"{lines} of load {load_id} wait for a named person's approval.{again} See: quarterday sign-off")


@app.command()
def withdraw(
    release_id: Annotated[int, typer.Argument(metavar="RELEASE", help="The release's number.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", "-r", help=PUBLIC_REASON, show_default=False)],
    by: Annotated[str, typer.Option("--by", help="Who asks for it, if not you; never published.")] = "",
) -> None:
    """Take a published release back, by another release: readers see again what they saw before it.

    [dim]quarterday withdraw 12 --reason "the service sent last year's workbook; it told us on 4 May"[/dim]

    History keeps what was shown and for how long. What later releases said of other periods stays. The reason is
    public, on the site and in the open data; who asked for it stays in the ledger.
    """
    import getpass

    from quarterday.withdrawing import withdraw_release

    taken_back_by = withdraw_release(release_id, reason, _settings(), by or getpass.getuser())
    print(f"Release {release_id} is taken back by release {taken_back_by}. Ask the partners for new returns.")


@app.command()
def maintain() -> None:
    """Vacuum and analyse what has changed since it was last done. Safe at any time; readers and loads go on."""
    from quarterday.maintaining import maintain as do_maintain

    done = do_maintain(_settings())
    print("\n".join(done) if done else "Nothing has changed since the last time.")


@app.command()
def backup() -> None:
    """Back the warehouse up, and prove it: restore it into a scratch database and compare checksums.

    Goes into the folder that QUARTERDAY_BACKUPS names; the newest are kept. The archive of files is not in it.

    Example:  quarterday backup
    """
    from quarterday.backing_up import back_up_and_prove

    settings = _settings()
    with _server(settings):
        made, compared = back_up_and_prove(settings)
    print(f"{made.path} holds the warehouse; restored once, all {compared} relations had the checksums they have here.")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The .dump of a backup, its .json beside it.", show_default=False)],
    into: Annotated[
        str | None, typer.Option("--into", "-i", help="A database's name; by default the warehouse's own, if empty.")
    ] = None,
) -> None:
    """Restore a backup into an empty database, and compare it with what was there when it was made.

    Examples:

    quarterday restore backups/quarterday-20261122T054000.000000Z.dump

    quarterday restore backups/quarterday-20261122T054000.000000Z.dump --into quarterday_to_look_at
    """
    from quarterday.backing_up import restore as do_restore

    settings = _settings()
    with _server(settings):
        database, compared = do_restore(_existing(file), settings, into)
    print(f"Database {database}: all {compared} relations are as they were. 'quarterday up' brings it up to the code.")


@app.command("verify-archive")
def verify_archive() -> None:
    """Read every file of the archive and compare it with the hash in the ledger. Exits with 3 when one is damaged."""
    from quarterday.verifying import verify_archive as verify

    settings = _settings()
    with _server(settings):
        count = verify(settings)
    print(f"All {count} files of {settings.archive} are what was received.")


@app.command()
def notices(
    send: Annotated[
        bool, typer.Option("--send", help="Send now what is unsent, also what waits to be tried again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects, with the words.")] = False,
    limit: Annotated[int, typer.Option("--limit", help="So many of the newest.")] = 20,
) -> None:
    """Show what partners and the office are told: rejected and late returns, failed tasks, releases; sent or not.

    returns/notices.csv says who is told of what; settings say by which mail server or webhook. Without any, notices are
    written and none is sent. Exits with 1 when --send could not send all.

    Example:  quarterday notices --send
    """
    from quarterday.notifying import showing

    if not showing.show_notices(_settings(), send, as_json, limit):
        raise typer.Exit(EXIT_REJECTED)


@app.command("withdraw-load")
def withdraw_load(
    load_id: Annotated[int, typer.Argument(metavar="LOAD", help="The load's number.", show_default=False)],
    reason: Annotated[str, typer.Option("--reason", "-r", help=REASON_INSIDE, show_default=False)],
) -> None:
    """Take an admitted return out of the next release, because it keeps the release from being built or checked.

    [dim]quarterday withdraw-load 12 --reason "names a fund that nobody knows; asked the office on 4 May"[/dim]

    Then run the release again in Airflow, from its first task. The partner is asked for a new return.
    """
    from quarterday import loading

    loading.withdraw_load(load_id, reason, _settings())
    print(f"Load {load_id} is withdrawn. Run quarter__release again from find_admitted, and ask for a new return.")


@app.command()
def correct(
    load_id: Annotated[int, typer.Argument(metavar="LOAD", help="The load's number.", show_default=False)],
) -> None:
    """Read an admitted return again, with corrections that were written down after it was judged.

    [dim]quarterday correct 12[/dim]

    The return stays as it was judged and published; the corrected one takes its place with the next release.
    """
    from quarterday.loading import correct_load

    corrected = correct_load(load_id, _settings())
    print(f"Load {load_id} is read again as load {corrected}, from the next sweep of the inbox on.")


@app.command()
def query(
    sql: Statement,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects.")] = False,
) -> None:
    """Ask the warehouse as its reader, who sees what is published: the schemas mart and history.

    Examples:

    quarterday query "select * from mart.fct_priority"

    quarterday query --csv "select * from mart.fct_measurement" > measurements.csv
    """
    from quarterday import showing

    text = sys.stdin.read() if sql == "-" else sql
    showing.show_query(text, _settings(), _row_format(as_csv, as_json))


def _row_format(as_csv: bool, as_json: bool) -> RowFormat:
    if as_csv and as_json:
        raise OperatorError("Give --csv or --json, not both.")
    return "csv" if as_csv else "json" if as_json else "table"


def _past_command(kind: Kind) -> Callable[..., None]:
    """Return the command that shows the marts as they stood in one sense of it."""

    def show(
        day: Annotated[str, typer.Argument(help="As 2018-04-23: the end of that day in London.", show_default=False)],
        statement: Annotated[
            str | None,
            typer.Argument(help="One select from mart; - reads it from standard input.", show_default=False),
        ] = None,
        as_schema: Annotated[bool, typer.Option("--schema", help="Leave a schema of views for readers.")] = False,
        files: Annotated[
            Path | None, typer.Option("--files", help="Write every mart as csv into this folder.", show_default=False)
        ] = None,
        as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects.")] = False,
    ) -> None:
        from quarterday import past, showing

        if [statement is not None, as_schema, files is not None].count(True) != 1:
            raise OperatorError("Give one of a query, --schema and --files, so that it is clear what to show.")
        then, settings = past.parse_past(kind, day), _settings()
        if statement is not None:
            text = sys.stdin.read() if statement == "-" else statement
            showing.show_rows(*past.fetch_past(then, text, settings), _row_format(as_csv, as_json))
        elif files is not None:
            print(f"{len(past.write_files(then, files, settings))} marts are written below {files}.")
        else:
            count = len(past.make_schema(then, settings))
            print(f"{count} views show it. Ask them: quarterday query 'select * from {then.schema}.fct_outcome'")

    return show


app.command(
    "as-known",
    help="""Show the marts as this warehouse knew them at the end of a day: what a report of that day was made from.

    quarterday as-known 2018-04-23 "select * from mart.fct_outcome"

    quarterday as-known "2018-04-23 14:30" --schema

    quarterday as-known 2018-04-23 --files reports/2018-04-23""",
)(_past_command("as_known"))
app.command(
    "as-issued",
    help="""Show the marts of all that partners had issued by a day, though some of it may have come in later.

    quarterday as-issued 2018-04-23 "select * from mart.fct_outcome"

    quarterday as-issued 2018-04-23 --files reports/2018-04-23""",
)(_past_command("as_issued"))


@app.command("export-ledger")
def export_ledger(
    file: Annotated[
        Path | None, typer.Argument(help="The file to write; else one named after the day, in the home's exports.")
    ] = None,
) -> None:
    """Write the whole ledger to a file, from which, with the archive, a lost warehouse is rebuilt.

    Example:  quarterday export-ledger /backup/ledger.zip
    """
    from datetime import UTC, datetime

    from quarterday import exporting

    settings = _settings()
    path = file or settings.home / "exports" / f"ledger-{datetime.now(UTC):%Y-%m-%d}.zip"
    with _server(settings):
        export = exporting.export_ledger(path.absolute(), settings)
    rows = sum(table.rows for table in export.tables.values())
    print(f"{export.path} holds the ledger: {rows} rows in {len(export.tables)} tables. Keep it beside the archive.")


@app.command("open-data")
def open_data(
    to: Annotated[Path, typer.Option("--to", help="The folder of all open data.", show_default=False)],
    release_id: Annotated[
        int | None, typer.Argument(metavar="[RELEASE]", help="The release; else the newest.", show_default=False)
    ] = None,
) -> None:
    """Write what a release published as files for everybody: csv with metadata, Parquet, a workbook.

    Small counts of people are left out, and as few other figures as keep them from being worked out; releases that
    are public already are reckoned with. A release's folder never changes: made again it is the same, or nothing is
    written.

    Example:  quarterday open-data 12 --to /srv/open-data
    """
    from quarterday.opendata.making import make_open_data

    settings = _settings()
    with _server(settings), _steps() as tell:
        made = make_open_data(release_id, to.absolute(), settings, tell)
    state = "is written" if made.is_new else "is there already, the same"
    typer.echo(f"{made.folder} {state}: {made.left_out} figures are left out.")
    if made.protecting:
        typer.echo(f"  {made.protecting} of them only so that no other can be worked out.")
    if not made.is_least:
        typer.echo("  Time ran out: fewer might have done.")
    for figure in made.given_away:
        typer.secho(f"  Follows from earlier files, whatever is left out: {figure}", fg=typer.colors.RED)


@app.command()
def site(
    to: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="The folder of all sites; else site in the home.")
    ] = None,
    release_id: Annotated[
        int | None, typer.Option("--release", "-r", help="The release; else the newest.", show_default=False)
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="With the reports as PDF.")] = True,
) -> None:
    """Write a release as pages for the public and the panel: priorities, outcomes, action plan, reports, returns.

    The pages show what the release's open data shows and no more about people; it is made with them. They need no
    server and no JavaScript. Made again they are the same bytes.

    Example:  quarterday site /srv/site --release 12
    """
    from quarterday.site.making import make_site

    settings = _settings()
    with _server(settings):
        made = make_site(release_id, (to or settings.home / "site").absolute(), settings, pdf)
    state = "is written" if made.is_new else "is there already, the same"
    typer.echo(f"{made.folder / 'index.html'} {state}: {made.page_count} pages on release {made.edition.release_id}.")
    if made.refused:
        typer.echo("Sentences of the highlight reports that are not shown (web/sentences.yml):")
    for words in made.refused:
        typer.echo(f"  {words}")


@app.command()
def rebuild(
    into: Annotated[
        str,
        typer.Option(
            "--into", "-i", help="An empty database: a URL, or a name on the same server.", show_default=False
        ),
    ],
    ledger: Annotated[
        Path | None, typer.Option("--ledger", "-l", help="An export of the ledger; else the running warehouse's.")
    ] = None,
) -> None:
    """Make the whole warehouse again from the archive and the ledger: the same marts, the same history.

    Exits with 1 when something is not as the ledger says; what, is told. Cut off, the same call goes on. The running
    warehouse is only read.

    Examples:

    quarterday rebuild --into quarterday_again

    quarterday rebuild --into postgresql://owner@other-host/quarterday --ledger /backup/ledger.zip
    """
    from contextlib import nullcontext

    from quarterday import rebuilding

    settings = _settings()
    is_needed = ledger is None or "://" not in into
    with _server(settings) if is_needed else nullcontext(), _steps() as tell:
        try:
            made = rebuilding.rebuild(into, settings, ledger, tell)
        except rebuilding.RebuildDiffers as difference:
            typer.secho(str(difference), fg=typer.colors.RED, err=True)
            raise typer.Exit(EXIT_REJECTED) from None
    typer.echo(f"Database {made.database}: {made.loads} loads landed, {made.releases} releases worked out again.")
    if not made.unlike:
        typer.echo(f"All {made.relations} relations of mart and history have the checksums that the ledger's have.")
        return
    typer.secho(f"{len(made.unlike)} of {made.relations} relations are not what they were:", fg=typer.colors.RED)
    for line in made.unlike:
        typer.echo(f"  {line}")
    raise typer.Exit(EXIT_REJECTED)


@app.command()
def checksums(
    as_json: Annotated[bool, typer.Option("--json", help="Print an object by relation, each release apart.")] = False,
) -> None:
    """Print the rows and one checksum of every relation of mart and history, to compare two warehouses by.

    The order of rows and columns, and the database, have no part in it: the same rows give the same checksum.

    Example:  quarterday checksums --json > before.json
    """
    import json

    from quarterday.checksums import checksums as read
    from quarterday.showing import show_rows

    settings = _settings()
    with _server(settings):
        found = read(settings)
    if as_json:
        print(json.dumps({name: one.as_json() for name, one in found.items()}, indent=1))
    else:
        show_rows(
            ["relation", "rows", "checksum"], [(name, one.rows, one.checksum) for name, one in found.items()], "table"
        )


@app.command()
def docs(
    to: Annotated[Path | None, typer.Option("--to", help="The file; else dbt/docs.html in the home.")] = None,
) -> None:
    """Write dbt's documentation as one page: models, columns, tests, SQL, who reads what, and the graph of all.

    For engineers; the dictionary for people is in docs/dictionary.

    Example:  quarterday docs --to dbt.html
    """
    from quarterday.dictionary.dbt_docs import write_dbt_docs

    settings = _settings()
    with _server(settings):
        page = write_dbt_docs((to or settings.home / "dbt" / "docs.html").absolute(), settings)
    typer.echo(f"{page} holds the documentation; open it in a browser.")


@app.command()
def reconcile(
    only_open: Annotated[bool, typer.Option("--open", help="Only what differs and nobody has explained.")] = False,
) -> None:
    """Show every figure that was printed in a report beside what the warehouse computes.

    Exits with 1 when a difference is open. A report that contradicts itself keeps the release from being published.

    Examples:

    quarterday reconcile

    quarterday reconcile --open
    """
    from quarterday import reconciling

    if not reconciling.show_figures(_settings(), only_open):
        raise typer.Exit(EXIT_REJECTED)


@app.command()
def demo(stay: Annotated[bool, typer.Option("--stay", help="Leave everything running at the end.")] = False) -> None:
    """Take in the returns in demo/ through the real path, show what came of them, and stop.

    Exits with 1 when a verdict is not the one expected. Running it again loads nothing twice.

    Examples:

    quarterday demo

    quarterday demo --stay
    """
    from quarterday import demo as demonstration

    if not demonstration.run(_settings(), stay):
        raise typer.Exit(EXIT_REJECTED)


lever_commands.add_to(app)
reader_commands.add_to(app)


def main() -> None:
    """Run a command; an error is a message and an exit code; --debug shows the traceback."""
    os.umask(0o077)  # partners' data and receipts are nobody else's on this machine
    debug = "--debug" in sys.argv[1:]
    if debug:
        sys.argv = [word for word in sys.argv if word != "--debug"]
    try:
        app()
    except ReturnRejected as error:
        _end(error, EXIT_REJECTED, debug)
    except OperatorError as error:
        is_told = type(error) is OperatorError or "docs/" in str(error)  # what to do
        _end(error if is_told or debug else OperatorError(runbooks.advice(error)), EXIT_OPERATOR, debug)
    except KeyboardInterrupt:
        typer.secho("Interrupted.", fg=typer.colors.RED, err=True)
        sys.exit(EXIT_INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        told = f"A fault of Quarterday's own: {runbooks.advice(error)}\nTo see where it arose, add --debug."
        _end(QuarterdayError(told), EXIT_FAULT, debug)


def _end(error: Exception, code: int, debug: bool) -> None:
    if debug:
        raise error
    typer.secho(str(error), fg=typer.colors.RED, err=True)
    sys.exit(code)


def _settings() -> Settings:
    from quarterday.settings import load_settings

    return load_settings()


@contextmanager
def _server(settings: Settings) -> Iterator[None]:
    """Have the database server run; the embedded one, if it did not, is stopped again unless something needs it."""
    from quarterday import server, services

    was_running = bool(settings.server_url) or server.is_running(settings)
    server.start(settings)
    try:
        yield
    finally:
        if not was_running and not any(services.status(settings)[name] for name in services.SERVICES):
            server.stop(settings)


def _existing(file: Path) -> Path:
    if not file.is_file():
        raise OperatorError(f"There is no file {file}.")
    return file.absolute()


@contextmanager
def _steps() -> Iterator[TellStep]:
    """Show the step under way on one line of a terminal; elsewhere print each step on a line."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda step: console.print(f"{step} ...", markup=False, highlight=False)
        return
    with console.status("starting") as line:
        yield lambda step: line.update(step)


if TYPE_CHECKING:
    from collections.abc import Callable

    TellStep = Callable[[str], None]

if __name__ == "__main__":
    main()
