"""The program: command line, wiring, the dev network."""
