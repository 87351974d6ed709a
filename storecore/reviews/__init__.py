"""What buyers say about products, and who decides whether others read it."""
