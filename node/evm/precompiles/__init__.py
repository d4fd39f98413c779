"""The precompiled contracts of each rule set, in py-evm's calling convention.

None of py-evm's own is used: most are too slow for their price there (in pure Python a block full
of pairings takes minutes), or wrong at an edge (0^0 is 1), or depend on what the machine's OpenSSL
has (RIPEMD-160), or are missing.

A call's data may be a view of the caller's memory, of any size: who copies it must have been paid.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from eth.exceptions import VMError

from node.evm.precompiles.blake2 import blake2_compress
from node.evm.precompiles.bls12_381 import (
    bls_g1_add,
    bls_g1_msm,
    bls_g2_add,
    bls_g2_msm,
    bls_map_fp2_to_g2,
    bls_map_fp_to_g1,
    bls_pairing,
)
from node.evm.precompiles.bn254 import bn254_add, bn254_multiply, bn254_pairing
from node.evm.precompiles.hashes import identity, ripemd160, sha256
from node.evm.precompiles.modexp import modexp
from node.evm.precompiles.point_evaluation import point_evaluation
from node.evm.precompiles.signatures import ecrecover, p256_verify
from node.types.attribution_call import ATTRIBUTION_ADDRESS
from node.types.primitives import Address

Precompile = Callable[[Any], object]
"""Takes a py-evm computation, charges its gas and sets its output; VMError burns all its gas."""


def _numbered(precompiles: Mapping[int, Precompile]) -> Mapping[Address, Precompile]:
    return {Address(number.to_bytes(20, "big")): code for number, code in precompiles.items()}


_CANCUN = _numbered(
    {
        1: ecrecover,
        2: sha256,
        3: ripemd160,
        4: identity,
        5: modexp,
        6: bn254_add,
        7: bn254_multiply,
        8: bn254_pairing,
        9: blake2_compress,
        10: point_evaluation,
    }
)
_PRAGUE = _numbered(
    {
        11: bls_g1_add,
        12: bls_g1_msm,
        13: bls_g2_add,
        14: bls_g2_msm,
        15: bls_pairing,
        16: bls_map_fp_to_g1,
        17: bls_map_fp2_to_g2,
    }
)
_ROLLUP = _numbered({0x100: p256_verify})

_ISTHMUS_CAPS: Mapping[Precompile, int] = {
    bn254_pairing: 112_687,
    bls_g1_msm: 513_760,
    bls_g2_msm: 488_448,
    bls_pairing: 235_008,
}
_JOVIAN_CAPS: Mapping[Precompile, int] = {
    bn254_pairing: 81_984,
    bls_g1_msm: 288_960,
    bls_g2_msm: 278_784,
    bls_pairing: 156_672,
}


def precompiles_for(
    *, is_prague: bool, is_rollup: bool, is_jovian: bool, has_receipts: bool
) -> Mapping[Address, Precompile]:
    """Return the precompiles by address. On a rollup some bound their input in bytes."""
    table = {**_CANCUN, **(_PRAGUE if is_prague else {})}
    if is_rollup:
        table.update(_ROLLUP)
        caps = _JOVIAN_CAPS if is_jovian else _ISTHMUS_CAPS
        for address, precompile in table.items():
            if precompile in caps:
                table[address] = _capped(precompile, caps[precompile])
    if has_receipts:
        from node.evm.attribution import receipt_precompile

        table[ATTRIBUTION_ADDRESS] = receipt_precompile
    return MappingProxyType(table)


def _capped(precompile: Precompile, cap: int) -> Precompile:
    def bounded(computation: Any) -> object:
        if len(computation.msg.data) > cap:
            raise VMError(f"precompile input: expected at most {cap} bytes")
        return precompile(computation)

    return bounded
