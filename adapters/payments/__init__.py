"""Payment providers beside ``offline``: a bank to play with, and Stripe."""
