"""What the shop sells: products, categories, prices, stock and coupons."""
