"""What the shop earned, what sells, who buys, and what waits to be done."""
