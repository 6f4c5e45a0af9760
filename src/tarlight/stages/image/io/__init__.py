"""Stages that read images."""
