"""A second opinion on speed from another predictor, asked in a process and an interpreter of its own.

``question`` puts a deployment into its words, ``ask`` runs ``worker`` with the interpreter that has it. Never needed:
nothing here is imported unless ``estimate --cross-check`` is given.
"""
