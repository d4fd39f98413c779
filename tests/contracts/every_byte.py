"""Every byte of AttributionVerifier's call data changed: `python -m tests.contracts.every_byte`."""

import sys

from attribution.verifier_call import encode_verify
from tests.contracts.proven_receipts import open_proven_receipts

_CHANGES = (0x01, 0x80, 0xFF)


def main() -> int:
    """Return 1 if a changed byte is not refused."""
    with open_proven_receipts() as receipts:
        for proof in (receipts.same_block(), receipts.one_hop()):
            data = encode_verify(proof)
            receipts.run(data)
            for place in range(len(data)):
                for change in _CHANGES:
                    if not receipts.refuses(data, place, change):
                        print(f"byte {place} of {len(data)}, changed by {change:#x}: not refused")
                        return 1
            print(f"{len(data):,} bytes, {len(_CHANGES)} changes of each: all refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
