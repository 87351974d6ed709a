"""Mailers: by SMTP, or as files for a shop that has no mail server yet."""
