//! What an X.509 certificate (RFC 5280, DER) says of the bearer of its key. Its signature and its
//! other contents are not looked at.

use dx_pkg_fetch::tls::der::{OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, UTF8_STRING};

/// A certificate of a signer.
#[derive(Debug)]
pub(super) struct Certificate<'a> {
    /// The public key, as `SubjectPublicKeyInfo` in DER.
    pub(super) key: &'a [u8],
    /// The first address among the subject's alternative names.
    pub(super) identity: String,
    /// The service that vouched for the identity.
    pub(super) issuer: Option<String>,
}

/// The field with the version, which is left out in certificates of version 1.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// 2.5.29.17, the subject's alternative names.
const NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// 1.3.6.1.4.1.57264.1.1, Fulcio's issuer, plain text.
const ISSUER_PLAIN: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x01];
/// 1.3.6.1.4.1.57264.1.8, Fulcio's issuer, as a text in DER.
const ISSUER: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01, 0x08];

/// The kinds of names that are addresses: of mail, and of anything.
const ADDRESSES: [u8; 2] = [0x81, 0x86];

impl<'a> Certificate<'a> {
    /// Reads a certificate; `None` for one that is damaged or names nobody.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut outer = Reader::new(bytes).expect(SEQUENCE)?.inside();
        let mut fields = outer.expect(SEQUENCE)?.inside();
        fields.expect(VERSION)?;
        // Serial number, algorithm, issuer, validity, subject.
        for _ in 0..5 {
            fields.element()?;
        }
        let key = fields.expect(SEQUENCE)?;
        let (mut identity, mut issuer) = (None, None);
        while let Some(field) = fields.element() {
            if field.tag != EXTENSIONS {
                continue;
            }
            let mut extensions = field.inside().expect(SEQUENCE)?.inside();
            while !extensions.is_empty() {
                let (id, value) = extension(extensions.expect(SEQUENCE)?.inside())?;
                match id {
                    NAMES => identity = address(Reader::new(value).expect(SEQUENCE)?.inside()),
                    ISSUER => issuer = text(Reader::new(value).expect(UTF8_STRING)?.contents),
                    ISSUER_PLAIN if issuer.is_none() => issuer = text(value),
                    _ => {}
                }
            }
        }
        Some(Certificate { key: key.whole, identity: identity?, issuer })
    }
}

/// Returns an extension's identifier and value.
fn extension<'a>(mut fields: Reader<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let id = fields.expect(OBJECT_IDENTIFIER)?.contents;
    // Whether it is critical may stand between.
    while let Some(field) = fields.element() {
        if field.tag == OCTET_STRING {
            return Some((id, field.contents));
        }
    }
    None
}

/// Returns the first name that is an address.
fn address(mut names: Reader<'_>) -> Option<String> {
    while let Some(name) = names.element() {
        if ADDRESSES.contains(&name.tag) {
            return text(name.contents);
        }
    }
    None
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok().filter(|text| !text.is_empty())
}
