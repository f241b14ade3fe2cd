-- What may be added up of a measurement is kept with it. A fact that was made before has nothing there until the deployment of the
-- marts, which fills it: see dim_measure.
alter table if exists core.fct_measurement add column if not exists additive_value numeric;
