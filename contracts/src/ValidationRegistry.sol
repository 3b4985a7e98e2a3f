// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Registry} from "./Registry.sol";

/// What validators say of agents' work: https://eips.ethereum.org/EIPS/eip-8004
contract ValidationRegistry is Registry {
    struct Validation {
        address validatorAddress;
        uint256 agentId;
        uint8 response;
        bytes32 responseHash;
        string tag;
        uint256 lastUpdate;
        bool isAnswered;
    }

    mapping(bytes32 => Validation) private _validations;
    mapping(uint256 => bytes32[]) private _ofAgent;
    mapping(address => bytes32[]) private _ofValidator;

    event ValidationRequest(
        address indexed validatorAddress, uint256 indexed agentId, string requestURI, bytes32 indexed requestHash
    );
    event ValidationResponse(
        address indexed validatorAddress,
        uint256 indexed agentId,
        bytes32 indexed requestHash,
        uint8 response,
        string responseURI,
        bytes32 responseHash,
        string tag
    );

    error NotAuthorized(address caller);
    error InvalidValidator();
    error AlreadyRequested(bytes32 requestHash);
    error NoSuchRequest(bytes32 requestHash);
    error ResponseOutOfRange(uint8 response);

    function validationRequest(
        address validatorAddress,
        uint256 agentId,
        string calldata requestURI,
        bytes32 requestHash
    ) external {
        if (!_actsFor(msg.sender, agentId)) revert NotAuthorized(msg.sender);
        if (validatorAddress == address(0)) revert InvalidValidator();
        // The hash identifies the request: a second one would take the first one's answers over.
        if (_validations[requestHash].validatorAddress != address(0)) revert AlreadyRequested(requestHash);
        Validation storage it = _validations[requestHash];
        it.validatorAddress = validatorAddress;
        it.agentId = agentId;
        it.lastUpdate = block.timestamp;
        _ofAgent[agentId].push(requestHash);
        _ofValidator[validatorAddress].push(requestHash);
        emit ValidationRequest(validatorAddress, agentId, requestURI, requestHash);
    }

    function validationResponse(
        bytes32 requestHash,
        uint8 response,
        string calldata responseURI,
        bytes32 responseHash,
        string calldata tag
    ) external {
        Validation storage it = _at(requestHash);
        if (msg.sender != it.validatorAddress) revert NotAuthorized(msg.sender);
        if (response > 100) revert ResponseOutOfRange(response);
        it.response = response;
        it.responseHash = responseHash;
        it.tag = tag;
        it.lastUpdate = block.timestamp;
        it.isAnswered = true;
        emit ValidationResponse(msg.sender, it.agentId, requestHash, response, responseURI, responseHash, tag);
    }

    function getValidationStatus(bytes32 requestHash)
        external
        view
        returns (
            address validatorAddress,
            uint256 agentId,
            uint8 response,
            bytes32 responseHash,
            string memory tag,
            uint256 lastUpdate
        )
    {
        Validation storage it = _at(requestHash);
        return (it.validatorAddress, it.agentId, it.response, it.responseHash, it.tag, it.lastUpdate);
    }

    /// Counts what is answered. No validators stand for all of them.
    function getSummary(uint256 agentId, address[] calldata validatorAddresses, string calldata tag)
        external
        view
        returns (uint64 count, uint8 averageResponse)
    {
        uint256 sum;
        bytes32[] storage requests = _ofAgent[agentId];
        for (uint256 i; i < requests.length; ++i) {
            Validation storage it = _validations[requests[i]];
            if (!it.isAnswered || !_matches(tag, it.tag)) continue;
            if (validatorAddresses.length != 0 && !_contains(validatorAddresses, it.validatorAddress)) continue;
            ++count;
            sum += it.response;
        }
        if (count != 0) averageResponse = uint8(sum / count);
    }

    function getAgentValidations(uint256 agentId) external view returns (bytes32[] memory requestHashes) {
        return _ofAgent[agentId];
    }

    function getValidatorRequests(address validatorAddress) external view returns (bytes32[] memory requestHashes) {
        return _ofValidator[validatorAddress];
    }

    function _at(bytes32 requestHash) private view returns (Validation storage it) {
        it = _validations[requestHash];
        if (it.validatorAddress == address(0)) revert NoSuchRequest(requestHash);
    }

    function _contains(address[] calldata addresses, address wanted) private pure returns (bool) {
        for (uint256 i; i < addresses.length; ++i) {
            if (addresses[i] == wanted) return true;
        }
        return false;
    }
}
