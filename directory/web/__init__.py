"""The site around the search: thin views of one answer as pages and JSON."""
