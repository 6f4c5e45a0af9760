"""Tests of questions about a dataset."""
