"""Soda Core: the checks that it has names for, on the landed text."""

import sys
from urllib.parse import urlsplit

from soda.scan import Scan

CHECKS = """
checks for crimes_of_peers:
  - row_count > 0
  - duplicate_count(crime_id) = 0
  - duplicate_count(crime_id, month) = 0
  - invalid_count(crime_id) = 0:
      valid regex: '^[0-9a-f]*$'
      valid length: 64
  - missing_count(month) = 0
  - invalid_count(month) = 0:
      valid regex: '^[0-9]{4}-[0-9]{2}$'
  - missing_count(reported_by) = 0
  - invalid_count(reported_by) = 0:
      valid values: [Staffordshire Police, West Mercia Police]
  - missing_count(falls_within) = 0
  - invalid_count(longitude) = 0:
      valid regex: '^-?[0-9]+([.][0-9]+)?$'
  - min(longitude_number) >= -9
  - max(longitude_number) <= 2
  - invalid_count(latitude) = 0:
      valid regex: '^-?[0-9]+([.][0-9]+)?$'
  - min(latitude_number) >= 49
  - max(latitude_number) <= 61
  - invalid_count(lsoa_code) = 0:
      valid regex: '^[EW][0-9]{8}$'
  - missing_count(crime_type) = 0
  - invalid_count(crime_type) = 0:
      valid values: [Anti-social behaviour, Bicycle theft, Burglary, Criminal damage and arson, Drugs, Other crime,
        Other theft, Possession of weapons, Public order, Robbery, Shoplifting, Theft from the person, Vehicle crime,
        Violence and sexual offences]
"""
parts = urlsplit(sys.argv[1])
scan = Scan()
scan.set_data_source_name("peers")
scan.add_configuration_yaml_str(
    f"data_source peers:\n  type: postgres\n  host: {parts.hostname}\n  port: '{parts.port}'\n"
    f"  username: {parts.username}\n"
    f"  password: '{parts.password}'\n  database: {parts.path[1:]}\n  schema: public\n"
)
scan.add_sodacl_yaml_str(CHECKS)
scan.disable_telemetry()
scan.execute()
sys.exit(1 if scan.has_error_logs() else 0)
