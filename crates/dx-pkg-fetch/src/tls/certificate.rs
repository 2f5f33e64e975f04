//! X.509 certificates of versions 1 and 3 (RFC 5280), as far as the check of a server needs them.

use super::der::{self, Element, Reader};
use rustls::pki_types::CertificateDer;

/// A certificate, borrowed from its DER form. Nothing in it has been verified.
pub(super) struct Certificate<'c> {
    /// The part that the issuer has signed.
    pub(super) signed: &'c [u8],
    /// The signature's algorithm, without the tag of its sequence.
    pub(super) signature_algorithm: &'c [u8],
    pub(super) signature: &'c [u8],
    pub(super) is_version_3: bool,
    /// The issuer's and the subject's name, without the tag of their sequence.
    pub(super) issuer: &'c [u8],
    pub(super) subject: &'c [u8],
    /// The first and last second of its validity, since 1970.
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    pub(super) key: PublicKey<'c>,
    pub(super) extensions: Extensions<'c>,
}

/// A public key.
#[derive(Clone, Copy)]
pub(super) struct PublicKey<'c> {
    /// Its algorithm, without the tag of its sequence.
    pub(super) algorithm: &'c [u8],
    pub(super) bytes: &'c [u8],
}

/// The extensions that a check of a server depends on.
#[derive(Default)]
pub(super) struct Extensions<'c> {
    /// The names of `subjectAltName`, each with its tag.
    pub(super) alternative_names: Vec<(u8, &'c [u8])>,
    /// `basicConstraints`: whether it is an authority, and how many may follow below it.
    pub(super) authority: Option<(bool, Option<u8>)>,
    /// `keyUsage`: its first byte of bits.
    pub(super) key_usage: Option<u8>,
    /// `extKeyUsage`: the identifiers of the purposes.
    pub(super) purposes: Option<Vec<&'c [u8]>>,
    pub(super) constrains_names: bool,
    pub(super) has_unknown_critical: bool,
}

/// A name of `subjectAltName` that is a host name, and one that is an IP address.
pub(super) const DNS_NAME: u8 = 0x82;
pub(super) const IP_ADDRESS: u8 = 0x87;

const VERSION: u8 = 0xa0;
const ISSUER_ID: u8 = 0x81;
const SUBJECT_ID: u8 = 0x82;
const EXTENSIONS: u8 = 0xa3;
const BOOLEAN: u8 = 0x01;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x55, 0x1d, 17];
const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 19];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 15];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1d, 37];
const NAME_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 30];

impl<'c> Certificate<'c> {
    /// Reads a certificate; `None` for anything else.
    pub(super) fn read(certificate: &'c CertificateDer<'_>) -> Option<Self> {
        let mut outer = Reader::new(certificate.as_ref());
        let mut parts = outer.expect(der::SEQUENCE)?.inside();
        let signed = parts.expect(der::SEQUENCE)?;
        let signature_algorithm = parts.expect(der::SEQUENCE)?.contents;
        let signature = der::whole_bytes(&parts.expect(der::BIT_STRING)?)?;

        let mut fields = signed.inside();
        let version = fields.optional(VERSION);
        let is_version_3 = match version {
            None => false,
            Some(version) => match version.inside().expect(der::INTEGER)?.contents {
                [0 | 1] => false,
                [2] => true,
                _ => return None,
            },
        };
        fields.expect(der::INTEGER)?;
        if fields.expect(der::SEQUENCE)?.contents != signature_algorithm {
            return None;
        }
        let issuer = fields.expect(der::SEQUENCE)?.contents;
        let mut validity = fields.expect(der::SEQUENCE)?.inside();
        let (not_before, not_after) = (time(&validity.element()?)?, time(&validity.element()?)?);
        let subject = fields.expect(der::SEQUENCE)?.contents;
        let key = PublicKey::read(fields.expect(der::SEQUENCE)?.contents)?;
        let _ = (fields.optional(ISSUER_ID), fields.optional(SUBJECT_ID));
        let extensions = match fields.optional(EXTENSIONS).filter(|_| is_version_3) {
            None => Extensions::default(),
            Some(list) => Extensions::read(list.inside().expect(der::SEQUENCE)?.inside())?,
        };
        let signed = signed.whole;
        Some(Self {
            signed,
            signature_algorithm,
            signature,
            is_version_3,
            issuer,
            subject,
            not_before,
            not_after,
            key,
            extensions,
        })
    }

    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer == self.subject
    }
}

impl<'c> PublicKey<'c> {
    /// Reads the contents of a `SubjectPublicKeyInfo`.
    pub(super) fn read(contents: &'c [u8]) -> Option<Self> {
        let mut parts = Reader::new(contents);
        let algorithm = parts.expect(der::SEQUENCE)?.contents;
        let bytes = der::whole_bytes(&parts.expect(der::BIT_STRING)?)?;
        Some(Self { algorithm, bytes })
    }
}

impl<'c> Extensions<'c> {
    fn read(mut list: Reader<'c>) -> Option<Self> {
        let mut found = Self::default();
        while !list.is_empty() {
            let mut extension = list.expect(der::SEQUENCE)?.inside();
            let identifier = extension.expect(der::OBJECT_IDENTIFIER)?.contents;
            let critical = extension.optional(BOOLEAN).is_some_and(|flag| flag.contents != [0]);
            let value = Reader::new(extension.expect(der::OCTET_STRING)?.contents);
            if identifier == NAME_CONSTRAINTS {
                found.constrains_names = true;
            } else if !found.take(identifier, value)? {
                found.has_unknown_critical |= critical;
            }
        }
        Some(found)
    }

    /// Takes in one extension; returns whether it is known.
    fn take(&mut self, identifier: &[u8], mut value: Reader<'c>) -> Option<bool> {
        match identifier {
            SUBJECT_ALTERNATIVE_NAME => {
                let mut names = value.expect(der::SEQUENCE)?.inside();
                while !names.is_empty() {
                    let name = names.element()?;
                    self.alternative_names.push((name.tag, name.contents));
                }
            }
            BASIC_CONSTRAINTS => {
                let mut fields = value.expect(der::SEQUENCE)?.inside();
                let is = fields.optional(BOOLEAN).is_some_and(|flag| flag.contents != [0]);
                let below = fields.optional(der::INTEGER);
                let below = below.map(|below| match below.contents {
                    [below] => *below,
                    _ => u8::MAX,
                });
                self.authority = Some((is, below));
            }
            KEY_USAGE => {
                let bits = value.expect(der::BIT_STRING)?.contents;
                self.key_usage = Some(bits.get(1).copied().unwrap_or(0));
            }
            EXTENDED_KEY_USAGE => {
                let mut list = value.expect(der::SEQUENCE)?.inside();
                let mut purposes = Vec::new();
                while !list.is_empty() {
                    purposes.push(list.expect(der::OBJECT_IDENTIFIER)?.contents);
                }
                self.purposes = Some(purposes);
            }
            _ => return Some(false),
        }
        Some(true)
    }
}

/// Returns the common names of a subject or issuer, from the outermost on.
pub(super) fn common_names(name: &[u8]) -> Vec<&str> {
    // UTF8String, PrintableString, TeletexString, IA5String.
    const TEXTS: [u8; 4] = [0x0c, 0x13, 0x14, 0x16];
    let mut found = Vec::new();
    let mut sets = Reader::new(name);
    while let Some(set) = sets.expect(der::SET) {
        let mut attributes = set.inside();
        while let Some(attribute) = attributes.expect(der::SEQUENCE) {
            let mut parts = attribute.inside();
            let kind = parts.expect(der::OBJECT_IDENTIFIER);
            if kind.is_some_and(|kind| kind.contents == COMMON_NAME)
                && let Some(text) = parts.element().filter(|text| TEXTS.contains(&text.tag))
                && let Ok(text) = std::str::from_utf8(text.contents)
            {
                found.push(text);
            }
        }
    }
    found
}

/// Returns the seconds since 1970 of a `UTCTime` or `GeneralizedTime` (RFC 5280 §4.1.2.5).
fn time(element: &Element<'_>) -> Option<i64> {
    let text = std::str::from_utf8(element.contents).ok()?.strip_suffix('Z')?;
    let (year, rest) = match (element.tag, text.len()) {
        (0x17, 12) => {
            let year: i64 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        (0x18, 14) => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let number = |at: usize| rest.get(at..at + 2)?.parse::<i64>().ok();
    let (month, day) = (number(0)?, number(2)?);
    let (hour, minute, second) = (number(4)?, number(6)?, number(8)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 1970, counted from March, so that the day of a leap year comes last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    Some((days - 719_469) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests;
