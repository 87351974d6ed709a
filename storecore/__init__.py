"""storecore: a shop's rules and use cases in plain Python, with ports for everything else."""
