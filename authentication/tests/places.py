"""A small file of places for the tests."""

import datetime as dt
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mmdb_writer import MMDBWriter
from netaddr import IPSet

BERLIN, MUNICH, LONDON, NEW_YORK = "91.64.0.7", "91.65.0.7", "81.2.69.142", "66.108.0.7"
CHICAGO, LOS_ANGELES = "66.109.0.7", "66.110.0.7"
BERLIN_6, SWEDEN, NO_COORDINATES = "2a02:8100::7", "89.160.20.112", "202.196.224.7"
PRIVATE, UNLISTED = "10.0.0.7", "8.8.8.8"
NETWORKS: dict[str, dict[str, Any]] = {
    "91.64.0.0/16": {
        "country": {"iso_code": "DE"},
        "city": {"names": {"en": "Berlin"}},
        "location": {"latitude": 52.52, "longitude": 13.405, "accuracy_radius": 20},
    },
    "91.65.0.0/16": {
        "country": {"iso_code": "DE"},
        "city": {"names": {"en": "Munich", "de": "München"}},
        "location": {"latitude": 48.137, "longitude": 11.575, "accuracy_radius": 20},
    },
    "81.2.69.0/24": {
        "country": {"iso_code": "GB"},
        "city": {"names": {"en": "London"}},
        "location": {"latitude": 51.507, "longitude": -0.128, "accuracy_radius": 20},
    },
    # As DB-IP writes it, without a radius.
    "66.108.0.0/16": {
        "country": {"iso_code": "US"},
        "city": {"names": {"en": "New York"}},
        "location": {"latitude": 40.713, "longitude": -74.006},
    },
    "66.109.0.0/16": {
        "country": {"iso_code": "US"},
        "location": {"latitude": 41.878, "longitude": -87.63, "accuracy_radius": 20},
    },
    "66.110.0.0/16": {
        "country": {"iso_code": "US"},
        "location": {"latitude": 34.052, "longitude": -118.244, "accuracy_radius": 20},
    },
    "2a02:8100::/32": {"country": {"iso_code": "DE"}, "city": {"names": {"en": "Berlin"}}},
    "89.160.20.0/24": {
        "country": {"iso_code": "SE"},
        "location": {"latitude": 59.33, "longitude": 18.06, "accuracy_radius": 100},
    },
    "202.196.224.0/20": {"country": {"iso_code": "PH"}},
    # Values of wrong kinds, as no publisher should write them.
    "5.5.5.0/24": {"country": "DE", "city": {"names": ["Berlin"]}, "location": {"latitude": "9"}},
    "5.5.6.0/24": {"country": {"iso_code": "Germany"}, "location": {"latitude": 99.0}},
    "5.5.7.0/24": {"country": {"iso_code": "DE"}, "city": {"names": {"en": "B\x1b[31m\u202en"}}},
}


def write_places(path: Path, *, age: dt.timedelta = dt.timedelta(), **options: Any) -> Path:
    """Write the file of places as a publisher does; of IPv4 alone with `ip_version=4`."""
    version = options.get("ip_version", 6)
    writer = MMDBWriter(
        ip_version=version,
        ipv4_compatible=version == 6,
        database_type="Test-City",
        languages=["en", "de"],
    )
    for network, record in NETWORKS.items():
        if version == 6 or ":" not in network:
            writer.insert_network(IPSet([network]), record)
    at = dt.datetime.now(dt.UTC) - age
    with patch("time.time", return_value=at.timestamp()):
        writer.to_db_file(str(path))
    return path
