"""The curve bn254 (alt_bn128, EIP-196 and EIP-197) on GMP's integers.

y^2 = x^3 + 3 over the prime field of P, a group of prime order R (`g1`); its twist over Fp2 (`fp2`,
`g2`); the optimal ate pairing into Fp12 (`fp12`, `pairing`). Nothing here takes constant time, and
nothing needs to: whatever a precompile sees is public. Points are affine, None is infinity: with
GMP a modular inverse costs as little as six products, for which projective coordinates would trade
it, and the affine formulas are the ones of the textbook.
"""
