"""Figures, money and layouts as people read them: one wording for tables, reports and plain text. No layout in here."""
