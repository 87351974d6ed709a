"""The proof kit: builders, strategies, contracts for any adapter, ours or your own, a machine and a simulation."""
