"""The catalogs of messages, a folder a language, and where messages in data files are found."""
