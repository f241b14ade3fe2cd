"""Column lineage: from the columns that a query gives back down to those that partners, seeds and the ledger fill.

sqlglot reads the SQL and says which relation a name stands for at each place; here its scopes are followed, model by
model. What a column's value is made of is told apart from what only decides which value is taken: the conditions of a
``case`` or a ``filter``, and the order of a window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp, parse_one
from sqlglot.optimizer.scope import Scope, build_scope

from quarterday.dictionary.project import Project, Relation

EPHEMERAL = "__dbt__cte__"
ROWS = "*"
# Views beside a form's typed view that give the same columns: macros/typed_lines.sql and macros/places.sql.
BESIDE = ("_plain", "_sent", "_repeated")


@dataclass(frozen=True, order=True)
class Leaf:
    """A column of a relation that no model makes, as a typed view, a seed or the ledger; ``*`` for its rows."""

    relation: str
    column: str


@dataclass(frozen=True)
class Origin:
    """Where a column comes from: what its value is made of, and what only decides which value it takes.

    Neither for a word or number that stands in the SQL itself.
    """

    made_of: frozenset[Leaf] = frozenset()
    decided_by: frozenset[Leaf] = frozenset()

    def __or__(self, other: Origin) -> Origin:
        return Origin(self.made_of | other.made_of, self.decided_by | other.decided_by)

    def as_decision(self) -> Origin:
        """Return the same as something that only decides."""
        return Origin(frozenset(), self.made_of | self.decided_by)


class Columns:
    """The columns of something that can be selected from, with their origins.

    A relation of which the project lists no columns, as the ledger's, has any that it is asked for.
    """

    def __init__(self, known: Mapping[str, Origin], rows: Origin, unlisted: str | None = None) -> None:
        self.known = known
        self.rows = rows
        self.unlisted = unlisted

    def get(self, name: str) -> Origin | None:
        """Return a column's origin; None where there is no such column."""
        if self.unlisted and name not in self.known:
            return Origin(frozenset({Leaf(self.unlisted, name)}))
        return self.known.get(name)


class Lineage:
    """Origins of all columns of a project's models, found once for each model and kept."""

    def __init__(self, project: Project) -> None:
        self._by_name = {one.relation: one for one in project.relations.values()}
        self._ephemeral = {one.name: one for one in project.relations.values() if one.kind == "model"}
        self._found: dict[str, Columns] = {}

    def of(self, relation: Relation) -> Mapping[str, Origin]:
        """Return the origin of each column of a model, seed or source, by the column's name.

        Raises:
            UnknownColumn: A query of the model, or of one it rests on, names a column that nothing there has.
        """
        return self._columns(relation).known

    def _columns(self, relation: Relation) -> Columns:
        if relation.unique_id not in self._found:
            made = _Query(relation, self._named).columns() if relation.sql else _leaves(relation)
            self._found[relation.unique_id] = made
        return self._found[relation.unique_id]

    def _named(self, table: exp.Table) -> Columns:
        if table.name.startswith(EPHEMERAL):
            return self._columns(self._ephemeral[table.name.removeprefix(EPHEMERAL)])
        name = f"{table.db}.{table.name}"
        for suffix in ("", *BESIDE):
            if relation := self._by_name.get(name.removesuffix(suffix)):
                own = self._columns(relation)
                # One of the views beside has the cells as sent, too.
                return Columns(own.known, own.rows, unlisted=relation.relation) if suffix else own
        return Columns({}, _leaf(name, ROWS), unlisted=name)


class UnknownColumn(Exception):
    """A name in a model's SQL that none of the relations there has as a column."""

    def __init__(self, relation: Relation, column: exp.Column, select: exp.Expr) -> None:
        super().__init__(
            f"{relation.path}: no relation has a column {column.sql('postgres')!r} in: {select.sql('postgres')[:300]}"
        )


def _leaves(relation: Relation) -> Columns:
    """Return a seed's or source's own columns; a source of the ledger lists none."""
    known = {name: _leaf(relation.relation, name) for name in relation.columns}
    return Columns(known, _leaf(relation.relation, ROWS), unlisted=None if known else relation.relation)


def _leaf(relation: str, column: str) -> Origin:
    return Origin(frozenset({Leaf(relation, column)}))


class _Query:
    """The query of one model, walked through scope by scope."""

    def __init__(self, relation: Relation, named: Callable[[exp.Table], Columns]) -> None:
        self.relation = relation
        self.named = named
        self.found: dict[int, Columns] = {}
        self.walking: set[int] = set()

    def columns(self) -> Columns:
        root = build_scope(parse_one(self.relation.sql or "", read="postgres"))
        assert root is not None, self.relation.path
        return self._scope(root)

    def _scope(self, scope: Scope) -> Columns:
        """Return a scope's columns. A recursive query sees of itself its first part, which is found first."""
        place = id(scope.expression)
        if place not in self.found:
            self.walking.add(place)
            self.found[place] = self._of(scope)
            self.walking.remove(place)
        return self.found[place]

    def _of(self, scope: Scope) -> Columns:
        expression = scope.expression
        if isinstance(expression, exp.SetOperation):
            return self._union([self._scope(part) for part in scope.set_operation_scopes], scope)
        if isinstance(expression, exp.Select):
            return self._select(expression, scope)
        if isinstance(expression, exp.Lateral) and isinstance(expression.this, exp.Subquery):
            inner = self._scope(scope.subquery_scopes[-1])
            return Columns(_renamed(inner.known, scope.outer_columns), inner.rows, inner.unlisted)
        if isinstance(expression, exp.Values):
            return self._values(expression, scope)
        return self._row_maker(expression, expression.alias_column_names, scope)

    def _union(self, parts: list[Columns], scope: Scope) -> Columns:
        """Columns of a union are told by their place, and named by the first part."""
        if any(part.unlisted for part in parts):
            return parts[0]
        names = scope.outer_columns or list(parts[0].known)
        columns = zip(*(part.known.values() for part in parts), strict=True)
        return Columns(
            {name: _together(origins) for name, origins in zip(names, columns, strict=True)},
            _together(part.rows for part in parts),
        )

    def _select(self, select: exp.Select, scope: Scope) -> Columns:
        sources = self._sources(scope)
        known: dict[str, Origin] = {}
        unlisted = None
        for projection in select.expressions:
            starred = _starred(projection, sources)
            if starred is None:
                known[projection.alias_or_name] = self._origin(projection, scope)
            for columns in starred or ():
                known |= columns.known
                unlisted = unlisted or columns.unlisted
        first = next(iter(sources.values()), None)
        return Columns(_renamed(known, scope.outer_columns), first.rows if first else Origin(), unlisted)

    def _values(self, values: exp.Values, scope: Scope) -> Columns:
        """A list of rows written out: a column is made of what stands at its place in each."""
        places = zip(*(row.expressions for row in values.expressions), strict=True)
        known = {
            f"column{number}": _together(self._origin(cell, scope) for cell in cells)
            for number, cells in enumerate(places, start=1)
        }
        named = _renamed(known, scope.outer_columns or values.alias_column_names)
        return Columns(named, _together(known.values()))

    def _row_maker(self, function: exp.Expr, names: list[str], scope: Scope) -> Columns:
        """A function in ``from``: each of its columns is made of all that it is given."""
        made = self._origin(function, scope)
        return Columns(dict.fromkeys(names or [function.alias], made), made)

    def _sources(self, scope: Scope) -> dict[str, Columns]:
        """Return what a select selects from, in the order in which it is named, by the name it goes by there.

        What stands in ``from`` and is made of the others there, as ``unnest``, is not among its own sources.
        """
        named = {name: source for name, (_, source) in scope.selected_sources.items()}
        return {
            name: self._source(source, scope)
            for name, source in named.items()
            if not isinstance(source, Scope) or id(source.expression) not in self.walking
        }

    def _source(self, source: exp.Table | Scope, scope: Scope) -> Columns:
        if isinstance(source, Scope):
            return self._scope(source)
        if isinstance(source.this, exp.Anonymous) and source.db:  # a function of ours that gives rows
            name = f"{source.db}.{source.this.name}"
            return Columns({}, _leaf(name, ROWS), unlisted=name)
        if isinstance(source.this, exp.Func):
            return self._row_maker(source, source.alias_column_names, scope)
        return self.named(source)

    def _origin(self, expression: exp.Expr, scope: Scope) -> Origin:
        """Return what an expression is made of and decided by, subqueries in it included."""
        inner = {id(part.expression): part for part in scope.subquery_scopes}
        origin = Origin()
        for node in expression.walk(prune=lambda node: id(node) in inner):
            part = self._part(node, inner, scope)
            if part is not None:
                origin |= part.as_decision() if _only_decides(node, expression) else part
        return Origin(origin.made_of, origin.decided_by - origin.made_of)

    def _part(self, node: exp.Expr, inner: Mapping[int, Scope], scope: Scope) -> Origin | None:
        if id(node) in inner:
            return self._subquery(inner[id(node)])
        if isinstance(node, exp.Column):
            return self._column(node, scope)
        if isinstance(node, exp.Count | exp.RowNumber) and not node.find(exp.Column):
            return next((source.rows for source in self._sources(scope).values()), None)
        return None

    def _subquery(self, scope: Scope) -> Origin:
        """A subquery that only asks whether there is such a row is made of that row; another of its columns."""
        columns = self._scope(scope)
        made = _together(columns.known.values())
        return made if made != Origin() else columns.rows

    def _column(self, column: exp.Column, scope: Scope) -> Origin:
        at: Scope | None = scope
        while at is not None:
            sources = self._sources(at)
            asked = [sources[column.table]] if column.table in sources else []
            if not column.table:
                listed = [source for source in sources.values() if column.name in source.known]
                asked = listed or [source for source in sources.values() if source.unlisted]
            found = [origin for source in asked if (origin := source.get(column.name)) is not None]
            if found:
                return _together(found)
            if not column.table and column.name in sources:  # a whole row, or a function's one column
                return sources[column.name].rows
            at = at.parent
        raise UnknownColumn(self.relation, column, scope.expression)


def _renamed(known: Mapping[str, Origin], names: list[str]) -> dict[str, Origin]:
    """Return columns by the names that the query around them gives them, in order; as they are where it gives none."""
    return dict(zip(names or known, known.values(), strict=True))


def _starred(projection: exp.Expr, sources: Mapping[str, Columns]) -> list[Columns] | None:
    """Return the relations whose columns a ``*`` stands for; None for anything else."""
    if isinstance(projection, exp.Star):
        return list(sources.values())
    if isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
        return [sources[projection.table]]
    return None


def _only_decides(node: exp.Expr, top: exp.Expr) -> bool:
    """Whether a part of an expression only decides which value is taken, or in which order."""
    while node is not top and node.parent is not None:
        parent = node.parent
        is_this = node.arg_key == "this"
        if is_this and isinstance(parent, exp.If | exp.Case):
            return True
        if not is_this and isinstance(parent, exp.Filter | exp.Window | exp.Order):
            return True
        node = parent
    return False


def _together(origins: Iterable[Origin]) -> Origin:
    together = Origin()
    for origin in origins:
        together |= origin
    return Origin(together.made_of, together.decided_by - together.made_of)
