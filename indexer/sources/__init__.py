"""Where listings come from: one module a source, each yields records."""
