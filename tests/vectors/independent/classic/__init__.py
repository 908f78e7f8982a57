"""The classic frame."""
