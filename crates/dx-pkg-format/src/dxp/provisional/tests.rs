use super::*;

fn secret(first: u8) -> DigestSecret {
    let mut bytes = [0; DigestSecret::LENGTH];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = (at as u8).wrapping_mul(151).wrapping_add(first);
    }
    DigestSecret::new(bytes)
}

fn unkeyed(contents: &[u8]) -> [u8; 32] {
    let mut digest = ProvisionalDigest::unkeyed();
    digest.update(contents);
    digest.finish()
}

#[test]
fn pieces_have_the_digest_of_the_whole() {
    let (secret, contents) = (secret(1), vec![7; 3000]);
    for length in [0, 1, 3, 4, 8, 9, 16, 17, 128, 129, 240, 241, 255, 256, 257, 1023, 3000] {
        let contents = &contents[..length];
        let mut pieces = ProvisionalDigest::new(&secret);
        contents.chunks(61).for_each(|piece| pieces.update(piece));
        assert_eq!(pieces.finish(), ProvisionalDigest::of(contents, &secret), "{length}");
    }
}

#[test]
fn secret_decides_about_the_digest_of_any_length() {
    for length in [0, 1, 3, 8, 16, 17, 100, 128, 200, 240, 241, 5000] {
        let contents = vec![3; length];
        let digest = ProvisionalDigest::of(&contents, &secret(1));
        assert_ne!(digest, ProvisionalDigest::of(&contents, &secret(2)), "{length}");
        assert_ne!(digest, unkeyed(&contents), "{length}");
    }
}

#[test]
fn every_byte_of_the_secret_counts() {
    let contents = vec![9; 5000];
    let digest = ProvisionalDigest::of(&contents, &secret(1));
    for at in [0, 8, 63, 100, 191, 192, 300, 447] {
        let mut bytes = *secret(1).0;
        bytes[at] ^= 1;
        let other = ProvisionalDigest::of(&contents, &DigestSecret::new(bytes));
        assert_ne!(digest, other, "{at}");
    }
}

#[test]
fn unkeyed_digests_are_plain_xxh3() {
    let expected = twox_hash::XxHash3_128::oneshot(b"contents").to_le_bytes();
    assert_eq!(unkeyed(b"contents")[..16], expected);
    assert_eq!(unkeyed(b"contents")[16..], [0; 16]);
}

#[test]
fn secret_is_not_shown() {
    assert_eq!(format!("{:?}", secret(1)), "DigestSecret");
}
