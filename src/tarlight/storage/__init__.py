"""The storage room: where shards lie, how they are listed and read.

`open_store` gives the store of a path; `find_shards` lists what a user named; `ShardSource` reads one image
again. Everything behind `Store` can be replaced by another store without another room noticing.
"""

from tarlight.storage.extension import as_extensions
from tarlight.storage.listing import Listing, find_shards
from tarlight.storage.local import LocalStore
from tarlight.storage.reading import DEFAULT_PLAN, OpenShard, Plan, Reading, StoppedError
from tarlight.storage.remote.document import RemoteDocument
from tarlight.storage.remote.store import RemoteStore
from tarlight.storage.route import (
    as_paths,
    check_option_names,
    check_options_for,
    is_local,
    is_option_name,
    open_store,
)
from tarlight.storage.size import parse_size
from tarlight.storage.source import ShardSource
from tarlight.storage.store import EVERYTHING, Selection, ShardStat, Store

__all__ = [
    "DEFAULT_PLAN",
    "EVERYTHING",
    "Listing",
    "LocalStore",
    "OpenShard",
    "Plan",
    "Reading",
    "RemoteDocument",
    "RemoteStore",
    "Selection",
    "ShardSource",
    "ShardStat",
    "StoppedError",
    "Store",
    "as_extensions",
    "as_paths",
    "check_option_names",
    "check_options_for",
    "find_shards",
    "is_local",
    "is_option_name",
    "open_store",
    "parse_size",
]
