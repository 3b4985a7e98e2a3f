// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// What the other registries ask of the one of identities.
interface IIdentityRegistry {
    function isAuthorizedOrOwner(address spender, uint256 agentId) external view returns (bool);
}

/// A registry beside the one of identities. Only its deployer says which that is, and only once.
abstract contract Registry {
    address private immutable _deployer = msg.sender;
    IIdentityRegistry internal _identities;

    error AlreadyInitialized();
    error NotInitialized();
    error NotDeployer();

    function initialize(address identityRegistry_) external {
        if (msg.sender != _deployer) revert NotDeployer();
        if (address(_identities) != address(0)) revert AlreadyInitialized();
        _identities = IIdentityRegistry(identityRegistry_);
    }

    function getIdentityRegistry() external view returns (address identityRegistry) {
        return address(_identities);
    }

    /// Whether `account` acts for the agent. Reverts where there is no such agent.
    function _actsFor(address account, uint256 agentId) internal view returns (bool) {
        if (address(_identities) == address(0)) revert NotInitialized();
        return _identities.isAuthorizedOrOwner(account, agentId);
    }

    /// An empty filter lets every tag through.
    function _matches(string memory filter, string memory tag) internal pure returns (bool) {
        return bytes(filter).length == 0 || keccak256(bytes(filter)) == keccak256(bytes(tag));
    }
}
