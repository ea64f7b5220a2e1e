"""Printed labels of devices: stocks, the layout of a label, and the files that printers take.

`stocks` describes the sheets, `units` collects what is printed for each device, `drawing` lays out one label in
millimetres, and `writers` produce the file: a PDF, a ZIP of SVG or PNG images, or a CSV. The preview uses the same
layout.
"""
