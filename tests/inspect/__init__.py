"""Tests of the questions about a dataset."""
