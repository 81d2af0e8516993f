"""Inputs of the walks in words: fields with their bounds and meaning, and what may be chosen. No toolkit in here."""
