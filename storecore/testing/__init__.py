"""The proof kit: builders and a contract suite that any adapter, ours or your own, can be held against."""
