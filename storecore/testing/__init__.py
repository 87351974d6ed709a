"""The proof kit: builders, strategies, contracts for any adapter, ours or your own, and a machine for whole stores."""
