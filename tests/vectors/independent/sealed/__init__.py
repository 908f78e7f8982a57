"""The sealed frame."""
