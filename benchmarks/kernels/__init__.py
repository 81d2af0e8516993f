"""Kernel timings → efficiency curves, one module a kind of kernel; ``benchmarks.fit_curves`` runs them."""
