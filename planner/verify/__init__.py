"""Planned beside actual: reads what an engine printed or serves as metrics, compares it with the prediction part by
part, says why it differs, and keeps what was measured for later plans on this machine.

For front ends ``run``: ``verify_log``, ``verify_page`` and ``verify_text`` answer in one call; ``failures.explain`` and
``mend.mend`` turn a failure into the rule that was broken and the nearest legal deployment.
"""
