"""Finds in the source each place on a return's path that commits or changes a folder, and each call of a DAG's task."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import PROJECT

PACKAGE = PROJECT / "src" / "quarterday"
# What the DAGs' tasks and an operator's commands call.
ENTRANCES = ("inbox", "loading", "releasing", "withdrawing")
ON_ANYTHING = {"commit", "rename", "unlink", "mkdir", "rmdir", "hardlink_to", "symlink_to", "touch", "chmod", "fchmod"}
ON_ANYTHING |= {"fsync", "write_text", "write_bytes", "save", "copyfile", "copyfileobj", "copytree", "rmtree", "move"}
OF_OS = {"link", "remove", "replace", "truncate"}
DRAFTS = {"NamedTemporaryFile", "mkstemp", "TemporaryFile"}

# Functions that no return comes by, or that a kill can't leave half done in; each with its reason.
ALLOWED = {
    "generating.main": "writes a file of the project, for its engineer",
    "loading.check_file": "tries a file out and rolls back",
    "loading.correct_load": "an operator's command of one insert in one transaction; held by test_corrections",
    "past._copy_out": "writes the marts of another day for who asks for them; no return comes by",
    "past._views": "asks which views there are; no return comes by",
    "past.make_schema": "a schema of another day's marts for who asks for it; no return comes by",
    "past.write_files": "writes the marts of another day for who asks for them; no return comes by",
    "reading.unpacking.Copy.__init__": "a temporary file outside all folders of ours",
    "readers.forget_password": "an operator's command, given again if cut off; held by test_reader_logins",
    "releasing._database_id": "only reads, when marts are deployed",
    "releasing.deploy_marts": "runs when the code changes and not with a return; half a note is none",
    "restating.signing_off.ask_for": "one transaction, of a question that is asked again; held by test_signing_off",
    "restating.signing_off.decide": "a person's answer, one transaction; held by test_signing_off, not by the matrix",
    "server._let_through": "opens folders to the server's user, as often as wanted",
    "server._make_data_folder": "the first start of a server; held by test_server",
    "server._password_file": "a temporary file outside all folders of ours",
    "server._remove_stale_pid_file": "the start of a server, which each case with a killed one takes",
    "server._run_as_server": "a file without a name",
    "server._start_postgres": "the start of a server, which each case with a killed one takes",
    "server._write_private": "the start of a server, which each case with a killed one takes",
    "server.check_named_server": "only reads",
    "server.make_database": "the first start of a server; held by test_server",
    "server.make_login": "the first start of Airflow; held by test_server",
    "settings._write_secret": "the first use of a secret; held by test_settings",
    "warehouse.migrate": "one transaction, when the code changes and not with a return",
}

# What a DAG's task calls of ours that takes no step.
CHANGES_NOTHING = {"fetching.connectors_of", "inbox.raise_failures", "signing_off.keys_to_ask"}
# And what ends where the path begins: a file is whole in the inbox or not there; held by tests/connectors.
CHANGES_NOTHING |= {"fetching.fetch", "waking.wake_sweep"}
CHANGES_NOTHING |= {"sending.raise_failures", "FinancialQuarter.of"}
CHANGES_NOTHING |= {"recovering.keys_to_wake", "recovering.count_unsent"}
# What it calls that is no step of a return's path, with the reason.
UPKEEP = {
    "sending.send_notices": "mails after the fact, kept and tried again; held by test_notices",
    "lateness.note_lateness": "a row per late return, written once; held by test_lateness",
    "recovering.close_lost_records": "ends records of runs, a row each; held by test_recovering",
    "backing_up.back_up_and_prove": "writes beside the warehouse; held by test_backing_up",
    "maintaining.maintain": "moves no row; held by test_maintaining",
    "verifying.verify_archive": "only reads; held by test_backing_up",
    "recovering.write_lost_receipts": "writes the receipts that each sweep writes, which is watched",
}


@dataclass(frozen=True)
class Site:
    """A place in the source, of a function or method as ``module.function``."""

    module: str
    function: str
    first: int
    last: int
    text: str

    @property
    def name(self) -> str:
        """The function that it stands in."""
        return f"{self.module}.{self.function}"

    def is_passed(self, passed: set[tuple[str, int]]) -> bool:
        """Say whether a run came by."""
        return any((self.module, line) in passed for line in range(self.first, self.last + 1))


def modules_of_the_path(entrances: tuple[str, ...] = ENTRANCES) -> list[str]:
    """Return the modules that the entrances import, and these in turn."""
    found: set[str] = set()
    to_ask = list(entrances)
    while to_ask:
        module = to_ask.pop()
        if module not in found:
            found.add(module)
            to_ask += _imports(module)
    return sorted(found)


def durable_sites(modules: list[str]) -> list[Site]:
    """Return the places of some modules that commit, or change a folder."""
    return [site for module in modules for site in _Finder(module).sites()]


def calls_of_tasks(dag_file: Path) -> list[str]:
    """Return what a DAG file's tasks call of ours, as ``module.function``."""
    tree = ast.parse(dag_file.read_text())
    ours = {
        name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("quarterday")
        for name in node.names
    }
    return sorted(
        {
            f"{node.func.value.id}.{node.func.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in ours
        }
    )


def _path_of(module: str) -> Path:
    return PACKAGE / (module.replace(".", "/") + ".py")


def _imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(_path_of(module).read_text())):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("quarterday"):
            continue
        inner = (node.module or "").removeprefix("quarterday").lstrip(".")
        for name in [inner, *(".".join(filter(None, (inner, name.name))) for name in node.names)]:
            if name and _path_of(name).is_file():
                yield name


class _Finder(ast.NodeVisitor):
    """Walks through a module and keeps the names of the functions that it is in."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.names: list[str] = []
        self.found: list[Site] = []

    def sites(self) -> list[Site]:
        self.visit(ast.parse(_path_of(self.module).read_text()))
        return self.found

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._within(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._within(node)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            called = item.context_expr
            name = called.func if isinstance(called, ast.Call) else called
            if isinstance(name, ast.Name) and name.id in ("connect", "connection"):
                self._keep(item.context_expr)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if _is_durable(node):
            self._keep(node)
        self.generic_visit(node)

    def _within(self, node: ast.ClassDef | ast.FunctionDef) -> None:
        self.names.append(node.name)
        self.generic_visit(node)
        self.names.pop()

    def _keep(self, node: ast.expr) -> None:
        name = ".".join(self.names) or "(module)"
        text = ast.unparse(node)
        self.found.append(Site(self.module, name, node.lineno, node.end_lineno or node.lineno, text))


def _is_durable(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id in DRAFTS or (call.func.id == "open" and _writes(call.args[1:2]))
    if not isinstance(call.func, ast.Attribute):
        return False
    name, owner = call.func.attr, call.func.value
    if isinstance(owner, ast.Name) and owner.id == "os":
        return name in ON_ANYTHING | OF_OS or (name == "open" and "O_RDONLY" not in ast.unparse(call))
    if name == "open":
        return _writes(call.args[:1])
    if name == "replace":  # of a path; of a text it has two
        return len(call.args) == 1 and not call.keywords
    return name in ON_ANYTHING | DRAFTS


def _writes(mode: list[ast.expr]) -> bool:
    return any(isinstance(each, ast.Constant) and set(str(each.value)) & set("wax+") for each in mode)
