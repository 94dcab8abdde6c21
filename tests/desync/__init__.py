"""Desync: what the balancer accepts and what an origin reads are the same messages, whatever was sent."""
