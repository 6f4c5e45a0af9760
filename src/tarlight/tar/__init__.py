"""The tar room: chunks of bytes become members, damage and records. No I/O (C1)."""

from tarlight.tar.image import ImageRecord
from tarlight.tar.member import Damage, Member
from tarlight.tar.parser import TarStream, iter_members
from tarlight.tar.records import RecordStream, read_records

__all__ = ["Damage", "ImageRecord", "Member", "RecordStream", "TarStream", "iter_members", "read_records"]
