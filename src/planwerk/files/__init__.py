"""Uploads: read from a request, kept in a vault, shown through signed addresses. Knows no object and no database."""
