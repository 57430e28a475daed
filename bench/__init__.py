"""The project's own benchmarks: numbers that hold on any machine (counts, ratios, growth), never lone milliseconds.

`python -m bench.pages --json` measures the product's pages in one process; `bench/ours.py` lets the shared rig drive
the product beside other web mails, and `python -m bench.serve` starts it for that.
"""
