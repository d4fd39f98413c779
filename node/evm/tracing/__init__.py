"""Running a message step by step, to find the first step in which two interpreters differ."""
