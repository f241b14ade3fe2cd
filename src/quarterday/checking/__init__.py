"""May a return come in? Checks from contracts and expectations, run by Great Expectations, judged per load."""
