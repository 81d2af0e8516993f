"""Search over deployments: lazy candidates, pruned early and counted, ranked, with the Pareto set. Pure."""
