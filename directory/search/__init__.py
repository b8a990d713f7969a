"""How a listing is found: what may be asked, the two engines, and the one answer they give."""
