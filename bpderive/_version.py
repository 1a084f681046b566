"""The version of bpderive: its one place."""

__version__ = "0.1.0"
