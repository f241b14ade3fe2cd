-- Schemas and who may enter them. A schema is a stage of the data's path; a role can enter only the stages it works in.
create extension if not exists btree_gist;

create schema if not exists ledger;
create schema if not exists landing;
create schema if not exists typed;
create schema if not exists core;
create schema if not exists mart;
create schema if not exists history;

revoke all on schema public from public;

grant usage on schema ledger, landing, typed to quarterday_loader, quarterday_builder;
grant create on schema landing, typed to quarterday_loader;
grant usage, create on schema core, mart, history to quarterday_builder;
grant usage on schema core, mart, history to quarterday_loader;
grant usage on schema mart, history to quarterday_reader;

comment on schema ledger is 'Append-only history of who sent what, what we found, and what was published.';
comment on schema landing is 'What partners sent, as text, one table per form. Never edited.';
comment on schema typed is 'One view per form over landing: typed value, flag and ok for every cell.';
comment on schema core is 'Facts and dimensions built by dbt from admitted returns. Nobody reads them.';
comment on schema mart is 'What is published now. Business intelligence tools read here only.';
comment on schema history is 'Every version of every published fact, with when it was known and when it was issued.';
