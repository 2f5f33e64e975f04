use super::*;

fn id(integrity: &str) -> PackageId {
    PackageId::from_integrity(&Integrity::parse(integrity).unwrap())
}

#[test]
fn the_id_is_the_first_half_of_a_sha512_digest() {
    let integrity = Integrity::sha512_of(b"hello");
    let id = PackageId::from_integrity(&integrity);
    assert_eq!(id.as_bytes()[..], integrity.strongest().digest()[..32]);
    assert_eq!(id.to_string(), "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7");
    assert_eq!(id.first_byte(), 0x9b);
}

#[test]
fn weaker_hashes_beside_the_strongest_do_not_change_the_id() {
    let strongest = Integrity::sha512_of(b"hello");
    let weak = Hash::of(HashAlgorithm::Sha1, b"hello");
    assert_eq!(id(&format!("{weak} {strongest}")), PackageId::from_integrity(&strongest));
}

#[test]
fn a_sha1_id_is_hashed() {
    let sha1 = Integrity::from_shasum_hex("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d").unwrap();
    let mut preimage = b"dx-sha1:".to_vec();
    preimage.extend_from_slice(sha1.strongest().digest());
    let expected: [u8; 32] = Sha256::digest(&preimage).into();
    assert_eq!(PackageId::from_integrity(&sha1), PackageId::from_bytes(expected));
}

#[test]
fn several_acceptable_hashes_never_take_the_id_of_one() {
    let (one, two) = (Integrity::sha512_of(b"one"), Integrity::sha512_of(b"two"));
    let both = id(&format!("{one} {two}"));
    assert_ne!(both, PackageId::from_integrity(&one));
    assert_ne!(both, PackageId::from_integrity(&two));
    assert_eq!(both, id(&format!("{two} {one}")), "their order does not matter");
}

#[test]
fn hexadecimal_reads_as_the_id() {
    let id = PackageId::from_bytes(std::array::from_fn(|index| index as u8 * 8 + 1));
    let hex = id.to_string();
    assert_eq!(PackageId::from_hex(&hex), Some(id));
    assert_eq!(str::from_utf8(&id.hex()).unwrap(), hex);
    for text in ["", &hex[1..], &format!("{hex}0"), &hex.to_uppercase(), &hex.replace('0', "/")] {
        assert_eq!(PackageId::from_hex(text), None, "{text}");
    }
}

#[test]
fn the_short_way_from_text_gives_the_same_id_or_none() {
    let integrity = Integrity::sha512_of(b"bytes");
    let text = integrity.to_string();
    assert_eq!(PackageId::from_sha512_text(&text), Some(PackageId::from_integrity(&integrity)));
    for other in [
        "",
        "sha512-",
        &text[..text.len() - 1],
        &format!("{text} "),
        &format!("{text}?x"),
        "sha1-AAAA",
    ] {
        assert_eq!(PackageId::from_sha512_text(other), None, "{other}");
    }
    assert_eq!(PackageId::from_sha512_text(&text.replace('=', "!")), None);
}

#[test]
fn a_patch_gives_another_id_by_its_digest() {
    let plain = PackageId::from_bytes([7; 32]);
    let patched = plain.patched("sha512-a");
    assert_ne!(patched, plain);
    assert_ne!(patched, plain.patched("sha512-b"));
    assert_ne!(patched, PackageId::from_bytes([8; 32]).patched("sha512-a"));
    assert_eq!(patched, plain.patched("sha512-a"));
}
