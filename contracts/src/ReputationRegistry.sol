// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

import {Registry} from "./Registry.sol";

/// What clients say of agents: https://eips.ethereum.org/EIPS/eip-8004
contract ReputationRegistry is Registry {
    struct Feedback {
        int128 value;
        uint8 valueDecimals;
        bool isRevoked;
        string tag1;
        string tag2;
    }

    uint8 private constant MOST_DECIMALS = 18;

    mapping(uint256 => address[]) private _clients;
    /// By agent and client; the first has index 1.
    mapping(uint256 => mapping(address => Feedback[])) private _feedback;
    /// Who responded, by agent, client and index: once for each response.
    mapping(uint256 => mapping(address => mapping(uint64 => address[]))) private _responders;

    event NewFeedback(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 feedbackIndex,
        int128 value,
        uint8 valueDecimals,
        string indexed indexedTag1,
        string tag1,
        string tag2,
        string endpoint,
        string feedbackURI,
        bytes32 feedbackHash
    );
    event FeedbackRevoked(uint256 indexed agentId, address indexed clientAddress, uint64 indexed feedbackIndex);
    event ResponseAppended(
        uint256 indexed agentId,
        address indexed clientAddress,
        uint64 feedbackIndex,
        address indexed responder,
        string responseURI,
        bytes32 responseHash
    );

    error OwnAgent();
    error TooManyDecimals();
    error NoSuchFeedback();
    error AlreadyRevoked();
    error NoClients();

    function giveFeedback(
        uint256 agentId,
        int128 value,
        uint8 valueDecimals,
        string calldata tag1,
        string calldata tag2,
        string calldata endpoint,
        string calldata feedbackURI,
        bytes32 feedbackHash
    ) external {
        if (valueDecimals > MOST_DECIMALS) revert TooManyDecimals();
        if (_actsFor(msg.sender, agentId)) revert OwnAgent();
        Feedback[] storage given = _feedback[agentId][msg.sender];
        if (given.length == 0) _clients[agentId].push(msg.sender);
        given.push(Feedback(value, valueDecimals, false, tag1, tag2));
        emit NewFeedback(
            agentId,
            msg.sender,
            uint64(given.length),
            value,
            valueDecimals,
            tag1,
            tag1,
            tag2,
            endpoint,
            feedbackURI,
            feedbackHash
        );
    }

    function revokeFeedback(uint256 agentId, uint64 feedbackIndex) external {
        Feedback storage feedback = _at(agentId, msg.sender, feedbackIndex);
        if (feedback.isRevoked) revert AlreadyRevoked();
        feedback.isRevoked = true;
        emit FeedbackRevoked(agentId, msg.sender, feedbackIndex);
    }

    function appendResponse(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        string calldata responseURI,
        bytes32 responseHash
    ) external {
        _at(agentId, clientAddress, feedbackIndex);
        _responders[agentId][clientAddress][feedbackIndex].push(msg.sender);
        emit ResponseAppended(agentId, clientAddress, feedbackIndex, msg.sender, responseURI, responseHash);
    }

    /// The mean of what these clients gave, with as many decimals as the most precise of it: the ERC leaves that open.
    function getSummary(
        uint256 agentId,
        address[] calldata clientAddresses,
        string calldata tag1,
        string calldata tag2
    ) external view returns (uint64 count, int128 summaryValue, uint8 summaryValueDecimals) {
        if (clientAddresses.length == 0) revert NoClients();
        int256 sum;
        for (uint256 i; i < clientAddresses.length; ++i) {
            Feedback[] storage given = _feedback[agentId][clientAddresses[i]];
            for (uint256 j; j < given.length; ++j) {
                if (given[j].isRevoked || !_hasTags(given[j], tag1, tag2)) continue;
                ++count;
                sum += int256(given[j].value) * int256(10 ** (MOST_DECIMALS - given[j].valueDecimals));
                if (given[j].valueDecimals > summaryValueDecimals) summaryValueDecimals = given[j].valueDecimals;
            }
        }
        if (count == 0) return (0, 0, 0);
        int256 scale = int256(10 ** (MOST_DECIMALS - summaryValueDecimals));
        summaryValue = int128(sum / int256(uint256(count)) / scale);
    }

    function readFeedback(uint256 agentId, address clientAddress, uint64 feedbackIndex)
        external
        view
        returns (int128 value, uint8 valueDecimals, string memory tag1, string memory tag2, bool isRevoked)
    {
        Feedback storage it = _at(agentId, clientAddress, feedbackIndex);
        return (it.value, it.valueDecimals, it.tag1, it.tag2, it.isRevoked);
    }

    function readAllFeedback(
        uint256 agentId,
        address[] calldata clientAddresses,
        string calldata tag1,
        string calldata tag2,
        bool includeRevoked
    )
        external
        view
        returns (
            address[] memory clients,
            uint64[] memory feedbackIndexes,
            int128[] memory values,
            uint8[] memory valueDecimals,
            string[] memory tag1s,
            string[] memory tag2s,
            bool[] memory revokedStatuses
        )
    {
        address[] memory asked = clientAddresses;
        if (asked.length == 0) asked = _clients[agentId];
        uint256 count = _countMatching(agentId, asked, tag1, tag2, includeRevoked);
        clients = new address[](count);
        feedbackIndexes = new uint64[](count);
        values = new int128[](count);
        valueDecimals = new uint8[](count);
        tag1s = new string[](count);
        tag2s = new string[](count);
        revokedStatuses = new bool[](count);
        uint256 next;
        for (uint256 i; i < asked.length; ++i) {
            Feedback[] storage given = _feedback[agentId][asked[i]];
            for (uint256 j; j < given.length; ++j) {
                Feedback storage it = given[j];
                if (!_isWanted(it, tag1, tag2, includeRevoked)) continue;
                clients[next] = asked[i];
                feedbackIndexes[next] = uint64(j + 1);
                values[next] = it.value;
                valueDecimals[next] = it.valueDecimals;
                tag1s[next] = it.tag1;
                tag2s[next] = it.tag2;
                revokedStatuses[next] = it.isRevoked;
                ++next;
            }
        }
    }

    /// The zero address counts for all clients, index 0 for all their feedback, no responders for everyone's.
    function getResponseCount(
        uint256 agentId,
        address clientAddress,
        uint64 feedbackIndex,
        address[] calldata responders
    ) external view returns (uint64 count) {
        if (clientAddress != address(0)) return _responses(agentId, clientAddress, feedbackIndex, responders);
        address[] storage clients = _clients[agentId];
        for (uint256 i; i < clients.length; ++i) {
            count += _responses(agentId, clients[i], feedbackIndex, responders);
        }
    }

    function getClients(uint256 agentId) external view returns (address[] memory) {
        return _clients[agentId];
    }

    function getLastIndex(uint256 agentId, address clientAddress) external view returns (uint64) {
        return uint64(_feedback[agentId][clientAddress].length);
    }

    function _at(uint256 agentId, address client, uint64 index) private view returns (Feedback storage) {
        Feedback[] storage given = _feedback[agentId][client];
        if (index == 0 || index > given.length) revert NoSuchFeedback();
        return given[index - 1];
    }

    function _hasTags(Feedback storage it, string memory tag1, string memory tag2) private view returns (bool) {
        return _matches(tag1, it.tag1) && _matches(tag2, it.tag2);
    }

    function _isWanted(Feedback storage it, string memory tag1, string memory tag2, bool includeRevoked)
        private
        view
        returns (bool)
    {
        return (includeRevoked || !it.isRevoked) && _hasTags(it, tag1, tag2);
    }

    function _countMatching(
        uint256 agentId,
        address[] memory clients,
        string memory tag1,
        string memory tag2,
        bool includeRevoked
    ) private view returns (uint256 count) {
        for (uint256 i; i < clients.length; ++i) {
            Feedback[] storage given = _feedback[agentId][clients[i]];
            for (uint256 j; j < given.length; ++j) {
                if (_isWanted(given[j], tag1, tag2, includeRevoked)) ++count;
            }
        }
    }

    function _responses(uint256 agentId, address client, uint64 index, address[] calldata responders)
        private
        view
        returns (uint64 count)
    {
        uint64 first = index == 0 ? 1 : index;
        uint64 last = index == 0 ? uint64(_feedback[agentId][client].length) : index;
        for (uint64 i = first; i <= last; ++i) {
            address[] storage responded = _responders[agentId][client][i];
            for (uint256 j; j < responded.length; ++j) {
                if (responders.length == 0 || _contains(responders, responded[j])) ++count;
            }
        }
    }

    function _contains(address[] calldata addresses, address wanted) private pure returns (bool) {
        for (uint256 i; i < addresses.length; ++i) {
            if (addresses[i] == wanted) return true;
        }
        return false;
    }
}
