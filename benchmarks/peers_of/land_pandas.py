"""pandas: read_csv and to_sql."""

import sys

import pandas
from sqlalchemy import create_engine

url, path = sys.argv[1:]
engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://"))
frame = pandas.read_csv(path, dtype=str)
frame.to_sql("peer_pandas", engine, if_exists="replace", index=False)
