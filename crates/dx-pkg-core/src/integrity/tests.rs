use super::*;

/// Digests of `hello`, made with Python's hashlib.
const SHA1: &str = "sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00=";
const SHA1_HEX: &str = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";
const SHA256: &str = "sha256-LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
const SHA384: &str = "sha384-WeF0h3dEjGnea4ANejO7+5/xtGPkQ1TDVTvNucZm+pASWjx5+QOXvfX2oT3oKGhP";
const SHA512: &str = "sha512-m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==";

fn integrity(text: &str) -> Integrity {
    Integrity::parse(text).unwrap()
}

#[test]
fn every_algorithm_checks_bytes() {
    for text in [SHA1, SHA256, SHA384, SHA512] {
        let integrity = integrity(text);
        assert_eq!(integrity.to_string(), text);
        assert_eq!(integrity.verify(b"hello"), Ok(()), "{text}");
        assert!(integrity.verify(b"hell0").is_err(), "{text}");
        assert!(integrity.verify(b"").is_err(), "{text}");
    }
}

#[test]
fn pieces_check_like_the_whole() {
    for text in [SHA1, SHA256, SHA384, SHA512] {
        let mut checker = integrity(text).checker();
        for piece in [&b"he"[..], b"", b"llo"] {
            checker.update(piece);
        }
        assert_eq!(checker.finish(), Ok(()), "{text}");
        let mut checker = integrity(text).checker();
        checker.update(b"hell");
        assert!(checker.finish().is_err(), "{text}");
    }
}

#[test]
fn the_strongest_algorithm_wins_wherever_it_stands() {
    let wrong = Integrity::sha512_of(b"other");
    let mixed = integrity(&format!("{SHA1} {wrong} {SHA256}"));
    assert_eq!(mixed.strongest().algorithm(), HashAlgorithm::Sha512);
    assert!(mixed.verify(b"hello").is_err());
    assert!(mixed.verify(b"other").is_ok());
    assert_eq!(mixed.hashes().len(), 3);
}

#[test]
fn any_hash_of_the_strongest_algorithm_may_match() {
    let both = integrity(&format!("{} {SHA512}", Integrity::sha512_of(b"other")));
    assert!(both.verify(b"hello").is_ok());
    assert!(both.verify(b"other").is_ok());
    assert!(both.verify(b"third").is_err());
}

#[test]
fn sha1_counts_only_alone() {
    let weaker_matches = integrity(&format!("{SHA1} {}", Integrity::sha512_of(b"other")));
    assert!(weaker_matches.verify(b"hello").is_err());
}

#[test]
fn options_space_and_unknown_algorithms_are_ignored() {
    let text =
        format!("  md5-XUFAKrxLKna5cZ2REBfFkg==\n{SHA512}?foo?bar sha3-abc  blake3-?x nonsense ");
    assert_eq!(integrity(&text), integrity(SHA512));
    assert_eq!(integrity(&format!("{SHA512} {SHA512}")).hashes().len(), 1);
}

#[test]
fn integrities_agree_if_the_same_bytes_match() {
    let other = Integrity::sha512_of(b"other").to_string();
    let agree = |a: &str, b: &str| integrity(a).agrees_with(&integrity(b));
    assert!(agree(SHA512, &format!("{SHA1} {SHA512}")));
    assert!(agree(&format!("{SHA512} {other}"), &format!("{other} {SHA512}")));
    assert!(!agree(SHA512, &format!("{SHA512} {other}")));
    assert!(!agree(SHA512, &other));
    assert!(!agree(SHA512, SHA256));
}

#[test]
fn missing_padding_is_repaired() {
    assert_eq!(integrity(SHA512.trim_end_matches('=')).to_string(), SHA512);
}

#[test]
fn integrities_without_a_usable_hash_are_refused() {
    for text in ["", " ", "md5-XUFAKrxLKna5cZ2REBfFkg==", "sha512", "sha999-abc", "SHA512-abc", "?"]
    {
        assert!(
            matches!(Integrity::parse(text), Err(IntegrityError::NoUsableHash { .. })),
            "{text:?}"
        );
    }
}

#[test]
fn damaged_digests_are_refused_even_beside_good_ones() {
    let short = SHA1.replace("sha1", "sha512");
    let long = SHA512.replace("sha512", "sha256");
    let longest = format!("sha512-{}", "A".repeat(200));
    for text in ["sha512-", "sha512-!!!!", &short, &long, &longest, &format!("{SHA1} sha512-abc")] {
        assert!(
            matches!(Integrity::parse(text), Err(IntegrityError::MalformedDigest { .. })),
            "{text:?}"
        );
    }
}

#[test]
fn shasums_are_sha1_in_hexadecimal() {
    assert_eq!(Integrity::from_shasum_hex(SHA1_HEX).unwrap(), integrity(SHA1));
    assert_eq!(Integrity::from_shasum_hex(&SHA1_HEX.to_uppercase()).unwrap(), integrity(SHA1));
    for text in ["", "aaf4", &SHA1_HEX[1..], &format!("{SHA1_HEX}00"), &SHA1_HEX.replace('a', "g")]
    {
        assert!(Integrity::from_shasum_hex(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_mismatch_says_what_was_expected_and_what_came() {
    let mismatch = integrity(SHA1).verify(b"other").unwrap_err();
    assert_eq!(
        mismatch.to_string(),
        format!("integrity check failed: expected {SHA1}, got {}", mismatch.actual)
    );
    assert_eq!(mismatch.actual, Hash::of(HashAlgorithm::Sha1, b"other"));
    assert_eq!(mismatch.code(), "DX_INTEGRITY_MISMATCH");
    assert!(mismatch.hint().is_some());
}
