"""dlt by its fastest path: an Arrow table, loaded as csv by COPY."""

import sys

import dlt
import pyarrow
from pyarrow import csv

url, path = sys.argv[1:]
names = csv.open_csv(path).schema.names
table = csv.read_csv(
    path,
    convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.string()), strings_can_be_null=True),
)
pipeline = dlt.pipeline("benchmark", destination=dlt.destinations.postgres(url), dataset_name="peer_dlt")
pipeline.run(table, table_name="crime", write_disposition="replace", loader_file_format="csv").raise_on_failed_jobs()
