"""The tar room: chunks of bytes become members, damage and records. No I/O (C1)."""
