"""The system of record: listings, what each source said of them, and the ordered changefeed."""
