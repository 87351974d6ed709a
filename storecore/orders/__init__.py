"""Orders: from a priced basket to delivered goods and an invoice."""
