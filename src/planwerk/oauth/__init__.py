"""The OAuth 2 authorization server: Authlib's framework-independent core over our store. One file for each RFC."""
