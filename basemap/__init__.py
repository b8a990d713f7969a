"""How the basemap that ships is made."""
