"""Benchmarks: what Custody costs, as ratios to a floor or a peer, within one run on one machine."""
