"""The execution layer against public test vectors and against the executable specification."""
