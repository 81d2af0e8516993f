"""The look of a report on screen and on A4. No fonts, images or addresses: everything is in here."""

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.45 system-ui, "Segoe UI", "Liberation Sans", Arial, sans-serif; color: #111; background: #fff;
  margin: 0 auto; padding: 24px; max-width: 1040px; overflow-wrap: anywhere; }
header { border-bottom: 3px solid #004c80; margin-bottom: 20px; }
h1 { font-size: 1.6em; margin: 0 0 4px; }
h2 { font-size: 1.25em; margin: 34px 0 8px; padding-bottom: 3px; border-bottom: 1px solid #888; break-after: avoid; }
p { margin: 8px 0; }
header p { color: #444; }
p.strong, p.verdict { font-weight: bold; color: #111; }
p.title { font-weight: bold; margin-bottom: 2px; }
ul { margin: 2px 0 12px; padding-left: 22px; }
div.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 12px 0 18px; width: 100%; font-size: 0.87em; }
caption { text-align: left; font-weight: bold; padding: 4px 0; break-after: avoid; }
table.pairs { width: auto; min-width: 50%; }
th, td { border: 1px solid #b5b5b5; padding: 4px 7px; text-align: left; vertical-align: top; overflow-wrap: normal; }
thead th { background: #e9eff4; }
tbody th { font-weight: normal; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
tr.chosen th, tr.chosen td { font-weight: bold; background: #f2f7e8; }
figure { margin: 14px 0; break-inside: avoid; }
figure.code { break-inside: auto; }
figcaption { font-weight: bold; margin-bottom: 4px; break-after: avoid; }
svg { display: block; width: 100%; max-width: 860px; height: auto; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
pre { background: #f5f5f5; border: 1px solid #b5b5b5; padding: 8px 10px; font-size: 0.83em; white-space: pre-wrap;
  font-family: ui-monospace, "Liberation Mono", Consolas, monospace; }
footer { border-top: 1px solid #888; margin-top: 36px; padding-top: 6px; color: #444; font-size: 0.85em; }
@page { size: A4; margin: 16mm 14mm 18mm;
  @bottom-right { content: counter(page) " / " counter(pages); font-size: 8pt; } }
@media print {
  body { font-size: 9.5pt; max-width: none; padding: 0; }
  div.wide { overflow: visible; }
  table { font-size: 7.8pt; }
  th, td { padding: 2px 4px; }
  thead { display: table-header-group; break-after: avoid; }
  tbody tr:first-child { break-before: avoid; }
  tr { break-inside: avoid; }
  table.short, ul { break-inside: avoid; }
  h2 + p { break-after: avoid; }
  pre { font-size: 7.6pt; }
  thead th, tr.chosen th, tr.chosen td, pre { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
"""Without the characters that XML escapes, so that the page is the same as HTML and as XML."""
