"""Builders of the parts of a layer, one file per kind; each reads keys and returns tensors, caches and shapes."""
