//! What an X.509 certificate (RFC 5280, DER) says of the bearer of its key. Its signature and its
//! other contents are not looked at.

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

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const OCTET_STRING: u8 = 0x04;
const UTF8_STRING: u8 = 0x0c;
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
        let mut outer = Elements(bytes).take(SEQUENCE)?;
        let mut fields = outer.take(SEQUENCE)?;
        fields.take(VERSION)?;
        // Serial number, algorithm, issuer, validity, subject.
        for _ in 0..5 {
            fields.next()?;
        }
        let key = fields.next()?;
        (key.tag == SEQUENCE).then_some(())?;
        let (mut identity, mut issuer) = (None, None);
        while let Some(field) = fields.next() {
            if field.tag != EXTENSIONS {
                continue;
            }
            let mut extensions = Elements(field.content).take(SEQUENCE)?;
            while !extensions.0.is_empty() {
                let (id, value) = extension(extensions.take(SEQUENCE)?)?;
                match id {
                    NAMES => identity = address(Elements(value).take(SEQUENCE)?),
                    ISSUER => issuer = text(Elements(value).take(UTF8_STRING)?.0),
                    ISSUER_PLAIN if issuer.is_none() => issuer = text(value),
                    _ => {}
                }
            }
        }
        Some(Certificate { key: key.whole, identity: identity?, issuer })
    }
}

/// Returns an extension's identifier and value.
fn extension<'a>(mut fields: Elements<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let id = fields.take(OBJECT_IDENTIFIER)?.0;
    // Whether it is critical may stand between.
    while let Some(field) = fields.next() {
        if field.tag == OCTET_STRING {
            return Some((id, field.content));
        }
    }
    None
}

/// Returns the first name that is an address.
fn address(mut names: Elements<'_>) -> Option<String> {
    while let Some(name) = names.next() {
        if ADDRESSES.contains(&name.tag) {
            return text(name.content);
        }
    }
    None
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok().filter(|text| !text.is_empty())
}

/// An element in DER.
struct Element<'a> {
    tag: u8,
    content: &'a [u8],
    /// The content with tag and length.
    whole: &'a [u8],
}

/// Elements in DER, one after the other.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// Takes the next element; `None` at the end, or where its length goes beyond it.
    fn next(&mut self) -> Option<Element<'a>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let (digits, behind) = rest.split_at_checked(usize::from(first & 0x7f))?;
            if digits.is_empty() || digits.len() > 4 {
                return None;
            }
            length = digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit));
            rest = behind;
        }
        let (content, behind) = rest.split_at_checked(length)?;
        let whole = self.0.get(..self.0.len() - behind.len())?;
        self.0 = behind;
        Some(Element { tag, content, whole })
    }

    /// Takes the next element, which has to have this tag, and returns what is in it.
    fn take(&mut self, tag: u8) -> Option<Elements<'a>> {
        let element = self.next()?;
        (element.tag == tag).then_some(Elements(element.content))
    }
}
