"""Labels of units on paper: stocks, what stands on a label and where, and the files that a printer takes.

`stocks` knows the sheets, `units` reads what is printed of each device, `drawing` lays one label out in millimetres and
`writers` put it into a file: PDF, a ZIP of SVG or PNG, or the rows of a CSV. The preview draws by the same layout.
"""
