"""Run by the environments' own interpreters: cases in on stdin, one JSON answer a case out. Nothing imports them."""
