"""A directory of dry-needling practitioners: its listings, its search, the site around it."""
