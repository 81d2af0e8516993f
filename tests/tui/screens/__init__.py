"""Every screen of the app, drawn on recorded answers and compared with what is kept: see ``__main__``."""
