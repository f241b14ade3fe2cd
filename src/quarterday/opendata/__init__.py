"""Open data: what a release published, as files for everybody, under disclosure control, in a place that stays."""
