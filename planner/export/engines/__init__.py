"""What each engine family is told: ``options(context)`` from a deployment, ``serving(options, experts)`` from flags.

Options are words of the flag tables in ``planner/export/flags``; which flag carries them is data.
"""
