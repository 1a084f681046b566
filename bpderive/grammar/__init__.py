"""Lists of layers of any kind, as a syntax tree.

`routing` says whether a list holds anything but plain widths; `widths` reads those, `reading` all
others. The modules are imported when they are wanted: a list of plain widths is read at once.
"""
