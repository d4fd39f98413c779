"""The prime field of bn254, and the numbers that define the curve."""

from gmpy2 import mpz

T = mpz(4965661367192848881)
"""The parameter of this Barreto-Naehrig curve: P, R and the pairing's loop are made of it."""

P = 36 * T**4 + 36 * T**3 + 24 * T**2 + 6 * T + 1
"""The field's prime, 254 bits."""

R = 36 * T**4 + 36 * T**3 + 18 * T**2 + 6 * T + 1
"""The prime order of both groups."""

B = 3
"""The curve is y^2 = x^3 + B."""
