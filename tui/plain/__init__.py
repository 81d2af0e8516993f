"""The walk as lines of text: for screen readers, dumb terminals and pipes. Nothing in here imports a toolkit."""
