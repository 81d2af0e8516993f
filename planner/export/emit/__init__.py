"""Structured writers: text is only ever data in them, never part of a template."""
