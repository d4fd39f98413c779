"""The AttributionHub on our own interpreters, with the real receipt precompile."""
