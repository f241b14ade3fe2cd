"""A Singer target (MeltanoLabs, with COPY), fed by the messages that a tap for csv would write."""

import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path

url, path = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder:
    settings = Path(folder) / "config.json"
    address = url.replace("postgresql://", "postgresql+psycopg://")
    settings.write_text(
        json.dumps({"sqlalchemy_url": address, "default_target_schema": "peer_singer", "use_copy": True})
    )
    program = Path(sys.executable).parent / "target-postgres"
    target = subprocess.Popen(
        [program, "--config", settings], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    with Path(path).open(encoding="utf-8", newline="") as file, target.stdin as messages:
        lines = csv.DictReader(file)
        columns = {name: {"type": ["null", "string"]} for name in lines.fieldnames}
        schema = {"type": "SCHEMA", "stream": "crime", "schema": {"properties": columns}, "key_properties": []}
        print(json.dumps(schema), file=messages)
        for line in lines:
            print(json.dumps({"type": "RECORD", "stream": "crime", "record": line}), file=messages)
    sys.exit(target.wait())
