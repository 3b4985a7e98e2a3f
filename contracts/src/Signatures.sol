// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity 0.8.37;

/// Who signed a digest.
library Signatures {
    /// Half the order of secp256k1: of the two signatures that a key can give, only the one with the lower `s` counts.
    /// https://eips.ethereum.org/EIPS/eip-2
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// The signer, or the zero address where the signature is none.
    function signer(bytes32 signed, uint8 v, bytes32 r, bytes32 s) internal pure returns (address) {
        if (uint256(s) > HALF_ORDER) return address(0);
        return ecrecover(signed, v, r, s);
    }

    /// The same for 65 bytes `r || s || v`.
    function signer(bytes32 signed, bytes memory signature) internal pure returns (address) {
        if (signature.length != 65) return address(0);
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
        return signer(signed, v, r, s);
    }

    /// The digest of a struct in a domain: https://eips.ethereum.org/EIPS/eip-712
    function digest(bytes32 domainSeparator, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domainSeparator, structHash));
    }

    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    /// The separator of this contract's domain, on whatever chain it is asked.
    function separator(string memory name, string memory version) internal view returns (bytes32) {
        bytes32 nameHash = keccak256(bytes(name));
        bytes32 versionHash = keccak256(bytes(version));
        return keccak256(abi.encode(DOMAIN_TYPEHASH, nameHash, versionHash, block.chainid, address(this)));
    }
}
