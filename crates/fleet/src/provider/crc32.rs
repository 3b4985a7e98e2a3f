//! The checksum the provider makes ids and the order of sets from: CRC-32 as in <https://www.rfc-editor.org/rfc/rfc1952#section-8>.

/// The polynomial, bits reversed.
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// The checksum of a text.
pub(super) fn crc32(text: &str) -> u32 {
    !text.bytes().fold(u32::MAX, |checksum, byte| {
        (0..8).fold(checksum ^ u32::from(byte), |bits, _| shift(bits))
    })
}

fn shift(bits: u32) -> u32 {
    if bits & 1 == 1 {
        (bits >> 1) ^ POLYNOMIAL
    } else {
        bits >> 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_check_value_of_the_catalogue() {
        assert_eq!(crc32("123456789"), 0xCBF4_3926);
        assert_eq!(crc32(""), 0);
    }
}
