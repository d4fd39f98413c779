// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {PayerEscrow} from "./attribution/PayerEscrow.sol";

/// @title AttributionHub
/// @notice Who logs for a model, who pays for its answers, and how the money is split. Receipts are
///         in the precompile; a payer's signed vouchers are the only authority over money. No admin
///         and no proxy: nobody can take what is escrowed here.
/// @dev    Amounts called gwei are whole gwei of OPEN, amounts called wei are 10**-18 OPEN. Credit is
///         gwei x basis points, as the precompile counts it. The predeploy has no constructor: the
///         two durations of PayerEscrow are written by the chain's genesis.
contract AttributionHub is PayerEscrow {
    /// @dev A settlement on its way. Credit here is gwei x basis points throughout.
    /// @param wholeCredit    What all of the unsettled receipts' money stands for.
    /// @param chargedCredit  What the money that is charged now stands for.
    /// @param coveredCredit  What the datasets up to here have of the whole.
    /// @param consumedCredit What they have of what is charged.
    /// @param knownCredit    What those of them that exist have of what is charged.
    /// @param paidWei        What goes to datasets.
    struct Settlement {
        bytes32 modelKey;
        address logger;
        uint64 stream;
        bool isActive;
        uint256 datasetsBps;
        uint256 wholeCredit;
        uint256 chargedCredit;
        uint256 coveredCredit;
        uint256 consumedCredit;
        uint256 knownCredit;
        uint256 paidWei;
    }

    /// @dev Wei of a credit of one gwei x basis point, for each basis point of a share: credit times
    ///      share times this is exact, so that money and consumed credit never part.
    uint256 private constant WEI_PER_CREDIT_AND_BPS = 1 gwei / FULL_BPS / FULL_BPS;

    /// @notice Semantic version of this contract.
    string public constant version = "1.0.0";

    /// @notice A dataset's part: `credit` is what was consumed of its credit, zero for its part of
    ///         what no dataset was credited with.
    event DatasetPaid(
        bytes32 indexed modelKey,
        uint32 indexed dataset,
        address indexed payout,
        uint256 credit,
        uint256 amountWei
    );
    /// @notice Of `unsettledGwei` of receipts so much was charged; the owner's part is `ownerWei`.
    event Settled(
        bytes32 indexed modelKey,
        address indexed logger,
        uint64 chargedGwei,
        uint96 unsettledGwei,
        address payout,
        uint256 ownerWei
    );

    /// @notice No voucher of the call could be charged.
    error NothingCharged();

    /// @notice Charges vouchers for receipts and splits the money. Anybody may call it. A voucher is
    ///         charged wholly or left out with an event (`VoucherSkipped`); the call reverts if none
    ///         is charged, or if the datasets are not all that have unpaid credit.
    /// @param logger   Whose receipts are paid for.
    /// @param datasets All datasets with unpaid credit in them, strictly ascending.
    /// @return chargedGwei What the payers have paid together.
    function settle(
        bytes32 modelKey,
        address logger,
        uint32[] calldata datasets,
        Voucher[] calldata vouchers
    ) external returns (uint64 chargedGwei) {
        if (_models[modelKey].owner == address(0)) revert UnknownModel(modelKey);
        StreamState storage state = _streamFor(modelKey, logger);
        Settlement memory s = _begin(modelKey, logger, state.status);
        (uint256 unsettledGwei, uint256 credit) = _unsettled(state, logger, s.stream);
        // A settlement charges what 64 bits hold; what receipts have beyond is left for another.
        uint256 limitGwei = Math.min(unsettledGwei, type(uint64).max);
        chargedGwei = _charge(modelKey, vouchers, limitGwei);
        if (chargedGwei == 0) revert NothingCharged();
        s.wholeCredit = unsettledGwei * FULL_BPS;
        s.chargedCredit = uint256(chargedGwei) * FULL_BPS;
        _payDatasets(s, datasets);
        if (s.coveredCredit != credit) revert DatasetsIncomplete(s.coveredCredit, credit);
        _payDeclared(s);
        state.settledGwei += chargedGwei;
        state.settledCredit += uint128(s.consumedCredit);
        _payOwner(s, chargedGwei, uint96(unsettledGwei));
    }

    function _begin(
        bytes32 modelKey,
        address logger,
        StreamStatus status
    ) private view returns (Settlement memory s) {
        (s.modelKey, s.logger, s.stream) = (modelKey, logger, streamOf(modelKey));
        s.isActive = status == StreamStatus.ACTIVE;
        s.datasetsBps = FULL_BPS - _models[modelKey].ownerBps;
    }

    /// @dev Pays each dataset its part of what was charged and consumes as much of its credit.
    function _payDatasets(Settlement memory s, uint32[] calldata datasets) private {
        for (uint256 i = 0; i < datasets.length; ++i) {
            if (i != 0 && datasets[i] <= datasets[i - 1]) revert DatasetsNotAscending(i);
            _payCredit(s, datasets[i]);
        }
    }

    /// @dev Pays one dataset, if it exists: else what it was credited with is unattributed.
    function _payCredit(Settlement memory s, uint32 id) private {
        CreditNote storage note = _credits[s.logger][s.stream][id];
        uint256 credit = _unsettledCredit(note, s.logger, s.stream, id, s.isActive);
        if (credit == 0) return;
        uint256 consumed = _consume(s, credit);
        if (consumed == 0) return;
        note.paid += uint128(consumed);
        address payout = _datasets[id].payout;
        if (payout == address(0)) return;
        s.knownCredit += consumed;
        _payDataset(s, id, payout, consumed, _price(s, consumed));
    }

    /// @dev How much of a dataset's credit is paid for now. What all datasets up to this one have
    ///      together is rounded, not what each has: so nothing is left over, and credit never
    ///      exceeds the money that is still to come for it.
    function _consume(Settlement memory s, uint256 credit) private pure returns (uint256 consumed) {
        s.coveredCredit += credit;
        uint256 consumedCredit = (s.coveredCredit * s.chargedCredit) / s.wholeCredit;
        consumed = consumedCredit - s.consumedCredit;
        s.consumedCredit = consumedCredit;
    }

    /// @dev What no dataset was credited with goes in equal parts to those that the model declared.
    function _payDeclared(Settlement memory s) private {
        Model storage entry = _models[s.modelKey];
        uint256 count = entry.declaredCount;
        if (count == 0) return;
        uint256 amountWei = _price(s, s.chargedCredit - s.knownCredit) / count;
        if (amountWei == 0) return;
        for (uint256 i = 0; i < count; ++i) {
            uint32 id = entry.declared[i];
            _payDataset(s, id, _datasets[id].payout, 0, amountWei);
        }
    }

    function _payDataset(
        Settlement memory s,
        uint32 id,
        address payout,
        uint256 credit,
        uint256 amountWei
    ) private {
        s.paidWei += amountWei;
        _credit(payout, amountWei);
        emit DatasetPaid(s.modelKey, id, payout, credit, amountWei);
    }

    /// @dev The owner has the rest, and with it what a division by the number of declared datasets
    ///      left over.
    function _payOwner(Settlement memory s, uint64 chargedGwei, uint96 unsettledGwei) private {
        address payout = _models[s.modelKey].payout;
        uint256 ownerWei = uint256(chargedGwei) * 1 gwei - s.paidWei;
        if (ownerWei != 0) _credit(payout, ownerWei);
        emit Settled(s.modelKey, s.logger, chargedGwei, unsettledGwei, payout, ownerWei);
    }

    /// @dev What a credit is worth to datasets, in wei.
    function _price(Settlement memory s, uint256 credit) private pure returns (uint256) {
        return credit * s.datasetsBps * WEI_PER_CREDIT_AND_BPS;
    }
}
