use super::mac::{self, Digest};
use super::record::{Opener, Sealer};
use rustls::crypto::cipher::{
    InboundOpaqueMessage, MessageDecrypter, MessageEncrypter, OutboundChunks, OutboundPlainMessage,
};
use rustls::crypto::ring::default_provider;
use rustls::{ContentType, Error, ProtocolVersion};

const DIGESTS: [Digest; 3] = [Digest::Sha1, Digest::Sha256, Digest::Sha384];

fn key(length: usize) -> Vec<u8> {
    (0..length as u8).map(|byte| byte.wrapping_mul(7)).collect()
}

fn sealed(digest: Digest, key_length: usize, content: &[u8], sequence: u64) -> Vec<u8> {
    let mac = digest.keyed(&key(digest.length()));
    let mut sealer = Sealer::new(&key(key_length), mac, default_provider().secure_random);
    let message = OutboundPlainMessage {
        typ: ContentType::ApplicationData,
        version: ProtocolVersion::TLSv1_2,
        payload: OutboundChunks::Single(content),
    };
    let promised = sealer.encrypted_payload_len(content.len());
    let record = sealer.encrypt(message, sequence).unwrap().encode();
    assert_eq!(record.len(), 5 + promised);
    record[5..].to_vec()
}

fn opened(
    digest: Digest,
    key_length: usize,
    record: &[u8],
    sequence: u64,
) -> Result<Vec<u8>, Error> {
    let mut opener = Opener::new(&key(key_length), digest.keyed(&key(digest.length())));
    let mut record = record.to_vec();
    let (typ, version) = (ContentType::ApplicationData, ProtocolVersion::TLSv1_2);
    let message = InboundOpaqueMessage::new(typ, version, &mut record);
    opener.decrypt(message, sequence).map(|plain| plain.payload.to_vec())
}

#[test]
fn a_record_of_any_length_is_what_it_was() {
    for digest in DIGESTS {
        for key_length in [16, 32] {
            for length in (0..70).chain([255, 256, 257, 1000, 16_384]) {
                let content: Vec<u8> = (0..length).map(|at| at as u8).collect();
                let record = sealed(digest, key_length, &content, 3);
                assert_eq!(opened(digest, key_length, &record, 3).unwrap(), content, "{length}");
            }
        }
    }
}

#[test]
fn a_changed_record_is_refused_wherever_the_change_is() {
    for digest in DIGESTS {
        let record = sealed(digest, 32, b"some bytes of a package", 0);
        for at in 0..record.len() {
            let mut changed = record.clone();
            changed[at] ^= 1;
            assert_eq!(opened(digest, 32, &changed, 0), Err(Error::DecryptError), "{at}");
        }
        assert_eq!(opened(digest, 32, &record, 1), Err(Error::DecryptError));
        for length in 0..record.len() {
            assert_eq!(opened(digest, 32, &record[..length], 0), Err(Error::DecryptError));
        }
    }
}

#[test]
fn any_padding_that_the_standard_allows_is_accepted_and_no_other() {
    let header = |length: usize| [length as u8; 13];
    for digest in DIGESTS {
        let signer = digest.keyed(&key(digest.length()));
        let content = b"content";
        let with_padding = |padding: &[u8]| {
            let mut record = content.to_vec();
            record.extend_from_slice(
                &signer.sign(&header(content.len()), content)[..digest.length()],
            );
            record.extend_from_slice(padding);
            mac::open(&*signer, &record, header)
        };
        for length in 0..=255_u8 {
            let padding = vec![length; usize::from(length) + 1];
            assert_eq!(with_padding(&padding), Some(content.len()), "{length}");
            if ![0, 1, 15, 16, 254, 255].contains(&length) {
                continue;
            }
            for at in 0..padding.len() {
                let mut wrong = padding.clone();
                wrong[at] ^= 0x80;
                assert_eq!(with_padding(&wrong), None, "{at} of {length}");
            }
        }
        assert_eq!(with_padding(&[]), None);
        assert_eq!(with_padding(&[200; 3]), None);
    }
}

#[test]
fn macs_are_those_of_rfc_2202_and_rfc_4231() {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let text = b"what do ya want for nothing?";
    for (digest, expected) in [
        (Digest::Sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
        (Digest::Sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            Digest::Sha384,
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
        ),
    ] {
        let mac = digest.keyed(b"Jefe");
        assert_eq!(hex(&mac.sign(b"", text)[..digest.length()]), expected);
        assert_eq!(hex(&mac.sign(&text[..4], &text[4..])[..digest.length()]), expected);
        for first in 0..=text.len() {
            let range = first..=text.len();
            let secret = mac.sign_secretly(b"", text, text.len(), range);
            assert_eq!(hex(&secret[..digest.length()]), expected);
        }
    }
}
