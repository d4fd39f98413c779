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
    /// @dev A settlement on its way.
    /// @param wholeCredit    The credit that all of the unsettled receipts' money stands for.
    /// @param knownCredit    What datasets that exist have of it.
    /// @param consumedCredit What datasets, existing or not, have of what is charged now.
    /// @param paidWei        What goes to datasets.
    struct Settlement {
        bytes32 modelKey;
        address logger;
        uint64 stream;
        bool isActive;
        uint256 datasetsBps;
        uint256 unsettledGwei;
        uint256 chargedGwei;
        uint256 wholeCredit;
        uint256 knownCredit;
        uint256 consumedCredit;
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
    event Settled(
        bytes32 indexed modelKey,
        address indexed logger,
        uint64 chargedGwei,
        uint96 unsettledGwei,
        address payout,
        uint256 ownerWei
    );

    error NothingCharged();

    /// @notice Charges vouchers for receipts and splits the money. Anybody may call it. A voucher is
    ///         charged wholly or left out with an event.
    /// @param logger   Whose receipts are paid for.
    /// @param datasets All datasets with unpaid credit in them, strictly ascending.
    /// @return chargedGwei What the payers have paid together.
    function settle(
        bytes32 modelKey,
        address logger,
        uint32[] calldata datasets,
        Voucher[] calldata vouchers
    ) external returns (uint64 chargedGwei) {
        Settlement memory s = _begin(modelKey, logger);
        StreamState storage state = _streamFor(modelKey, logger);
        uint256 credit;
        (s.unsettledGwei, credit) = _unsettled(state, logger, s.stream);
        s.chargedGwei = _charge(modelKey, vouchers, s.unsettledGwei);
        if (s.chargedGwei == 0) revert NothingCharged();
        if (s.chargedGwei > type(uint64).max) revert AmountTooLarge(s.chargedGwei);
        // Rounding down leaves credit behind: never more than there is money for, by the maximum.
        s.wholeCredit = Math.max(s.unsettledGwei * FULL_BPS, credit);
        _payDatasets(s, datasets, credit);
        _payDeclared(s);
        state.settledGwei += uint96(s.chargedGwei);
        state.settledCredit += uint128(s.consumedCredit);
        _payOwner(s);
        return uint64(s.chargedGwei);
    }

    function _begin(bytes32 modelKey, address logger) private view returns (Settlement memory s) {
        (s.modelKey, s.logger, s.stream) = (modelKey, logger, streamOf(modelKey));
        s.isActive = _streamFor(modelKey, logger).status == StreamStatus.ACTIVE;
        s.datasetsBps = FULL_BPS - _models[modelKey].ownerBps;
    }

    /// @dev Pays each dataset its part of what was charged and consumes as much of its credit.
    /// @param credit What the datasets have to cover.
    function _payDatasets(Settlement memory s, uint32[] calldata datasets, uint256 credit) private {
        uint256 covered = 0;
        for (uint256 i = 0; i < datasets.length; ++i) {
            if (i != 0 && datasets[i] <= datasets[i - 1]) revert DatasetsNotAscending(i);
            covered += _consume(s, datasets[i]);
        }
        if (covered != credit) revert DatasetsIncomplete(covered, credit);
    }

    /// @dev Pays one dataset, if it exists: else what it was credited with is unattributed.
    /// @return credit What it had not been paid for.
    function _consume(Settlement memory s, uint32 id) private returns (uint256 credit) {
        credit = _unsettledCredit(s.logger, s.stream, id, s.isActive);
        if (credit == 0) return 0;
        uint256 consumed = _part(s, credit);
        s.consumedCredit += consumed;
        if (s.isActive) _credits[s.logger][s.stream][id] += consumed;
        else _credits[s.logger][s.stream][id] -= consumed;
        address payout = _datasets[id].payout;
        if (payout == address(0)) return credit;
        s.knownCredit += credit;
        _payDataset(s, id, payout, consumed, _price(s, consumed));
    }

    /// @dev What no dataset was credited with goes in equal parts to those that the model declared.
    function _payDeclared(Settlement memory s) private {
        Model storage entry = _models[s.modelKey];
        uint256 count = entry.declaredCount;
        if (count == 0) return;
        uint256 amountWei = _price(s, _part(s, s.wholeCredit - s.knownCredit)) / count;
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
        owed[payout] += amountWei;
        emit DatasetPaid(s.modelKey, id, payout, credit, amountWei);
    }

    /// @dev The owner has the rest, and with it what every division left over.
    function _payOwner(Settlement memory s) private {
        address payout = _models[s.modelKey].payout;
        uint256 ownerWei = s.chargedGwei * 1 gwei - s.paidWei;
        if (ownerWei != 0) owed[payout] += ownerWei;
        emit Settled(
            s.modelKey, s.logger, uint64(s.chargedGwei), uint96(s.unsettledGwei), payout, ownerWei
        );
    }

    /// @dev How much of a credit is paid for now, rounded down. All parts together stand for no more
    ///      than was charged.
    function _part(Settlement memory s, uint256 credit) private pure returns (uint256) {
        return (credit * s.chargedGwei * FULL_BPS) / s.wholeCredit;
    }

    /// @dev What a credit is worth to datasets, in wei.
    function _price(Settlement memory s, uint256 credit) private pure returns (uint256) {
        return credit * s.datasetsBps * WEI_PER_CREDIT_AND_BPS;
    }
}
