"""The report of a plan: what people attach to a purchase or a change request. HTML with drawings, or Markdown."""
