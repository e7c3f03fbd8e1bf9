"""Data-set formats that `python -m train prepare` reads.

To add one: a module here with HELP, `recognise(tree) -> int` (about how many pictures it would explain) and `read(tree, wishes)`, its name in this
table, and a builder in tests/unit/test_formats.py; the contract test does the rest.
"""

FORMATS = ("native", "coco", "voc", "ccpd", "ufpr", "openalpr", "fast-plate-ocr", "csv-boxes", "uc3m", "nomeroff", "yolo", "tao", "paddleocr", "file-names")
"""Where two would explain as many pictures, the earlier one is taken."""
