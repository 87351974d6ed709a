"""How often things may be done over HTTP: one table. People never get near these numbers; programs that try do.

Wrong passwords have limits of their own, in :mod:`storecore.accounts.guarding`.
"""

from webapp.http.limiting import HOUR, MINUTE, Limit

SIGN_IN = Limit(name="sign-in", window=MINUTE, address=60)
"""Logging in, by cookies or by tokens."""
REGISTER = Limit(name="register", window=HOUR, address=60)
RESET = Limit(name="reset", window=HOUR, address=60, account=20, email=5)
"""Asking for the mails that prove who one is, and following their links."""
PASSWORD = Limit(name="password", window=HOUR, address=120, account=20)
"""What somebody signed in is asked their password for."""
REFRESH = Limit(name="refresh", window=MINUTE, address=300)
GUEST_ORDERS = Limit(name="guest-orders", window=HOUR, address=60, email=20, guests=True)
QUOTES = Limit(name="quotes", window=MINUTE, address=240, account=120)
CART = Limit(name="cart", window=MINUTE, address=600, account=240)
"""Changing a cart."""
CONVERSATIONS = Limit(name="conversations", window=HOUR, address=60, account=20)
MESSAGES = Limit(name="messages", window=MINUTE, address=300, account=60)
"""Saying something, over a socket as well."""
ATTACHMENTS = Limit(name="attachments", window=HOUR, address=300, account=100)
