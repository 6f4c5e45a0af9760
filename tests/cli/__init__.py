"""Tests of tarlight."""
