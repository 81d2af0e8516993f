"""Planned beside actual: reads what an engine printed or serves as metrics, compares it with the prediction part by
part, says why it differs, and keeps what was measured for later plans on this machine."""
