"""A sample dataset of painted pictures, and broken shards to try things on."""

from tarlight.sample.writer import SampleSummary, write_sample

__all__ = ["SampleSummary", "write_sample"]
