"""Listeners: they show what a run does and never steer it."""
