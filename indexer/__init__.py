"""How listings get into the store, and how the search index keeps step with it."""
