"""Hosts and devices in time: what the stateless vectors cannot say."""
