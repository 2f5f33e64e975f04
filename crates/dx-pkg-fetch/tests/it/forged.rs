//! Certificates of the forms that are found inside companies, written by hand: libraries make none
//! of version 1, and none without `subjectAltName` of an authority's kind.

use p521::ecdsa::signature::Signer as _;
use p521::ecdsa::signature::hazmat::PrehashSigner as _;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};

/// A key of an authority or a server.
pub(crate) enum Key {
    P256(KeyPair),
    /// One that signs with SHA-512.
    P256Sha512(p256::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Rsa(KeyPair),
    /// Any other that signs no certificate: in PEM form, and the public key.
    Other(String, Vec<u8>),
}

/// What a certificate says. All are valid from 2020 to 2090 unless told otherwise.
#[derive(Clone)]
pub(crate) struct Form {
    pub(crate) subject: &'static str,
    pub(crate) is_version_3: bool,
    pub(crate) extensions: Vec<Vec<u8>>,
    pub(crate) validity: [&'static str; 2],
}

/// A certificate with its key.
pub(crate) struct Made {
    pub(crate) der: Vec<u8>,
    pub(crate) key: Key,
    subject: &'static str,
}

impl Form {
    /// Version 3, without any extension.
    pub(crate) fn of(subject: &'static str) -> Self {
        let validity = ["20200101000000Z", "20900101000000Z"];
        Self { subject, is_version_3: true, extensions: Vec::new(), validity }
    }

    pub(crate) fn version_1(self) -> Self {
        Self { is_version_3: false, ..self }
    }

    pub(crate) fn valid(self, validity: [&'static str; 2]) -> Self {
        Self { validity, ..self }
    }

    pub(crate) fn with(mut self, extension: Vec<u8>) -> Self {
        self.extensions.push(extension);
        self
    }

    pub(crate) fn host(self, name: &str) -> Self {
        self.with(extension(17, false, &sequence(&[element(0x82, name.as_bytes())])))
    }

    pub(crate) fn authority(self) -> Self {
        self.with(extension(19, true, &sequence(&[element(1, &[0xff])])))
    }

    /// Makes the certificate of an authority or a server that is its own issuer.
    pub(crate) fn self_signed(self, key: Key) -> Made {
        let der = self.signed(self.subject, &key, &key);
        Made { der, key, subject: self.subject }
    }

    pub(crate) fn issued_by(self, issuer: &Made, key: Key) -> Made {
        let der = self.signed(issuer.subject, &issuer.key, &key);
        Made { der, key, subject: self.subject }
    }

    fn signed(&self, issuer: &str, issuer_key: &Key, key: &Key) -> Vec<u8> {
        let mut fields = Vec::new();
        if self.is_version_3 {
            fields.push(element(0xa0, &element(2, &[2])));
        }
        fields.push(element(2, &[1]));
        fields.push(issuer_key.algorithm());
        fields.push(name(issuer));
        fields.push(sequence(&self.validity.map(|time| element(0x18, time.as_bytes()))));
        fields.push(name(self.subject));
        fields.push(key.public());
        if !self.extensions.is_empty() {
            fields.push(element(0xa3, &sequence(&self.extensions)));
        }
        let signed = sequence(&fields);
        let signature = [vec![0], issuer_key.sign(&signed)].concat();
        sequence(&[signed, issuer_key.algorithm(), element(3, &signature)])
    }
}

impl Made {
    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der)
    }

    pub(crate) fn key_pem(&self) -> String {
        match &self.key {
            Key::P256(key) | Key::Rsa(key) => key.serialize_pem(),
            Key::Other(pem, _) => pem.clone(),
            Key::P256Sha512(_) => panic!("this key is for authorities"),
            Key::P521(key) => {
                let point = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
                let public = element(3, &[&[0], &point[..]].concat());
                let curve = element(6, P521);
                let fields = [
                    element(2, &[1]),
                    element(4, &key.to_bytes()),
                    element(0xa0, &curve),
                    element(0xa1, &public),
                ];
                pem("EC PRIVATE KEY", &sequence(&fields))
            }
        }
    }
}

/// prime256v1, secp521r1, id-ecPublicKey, and ECDSA and RSA with SHA-256 or SHA-512.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P521: &[u8] = &[0x2b, 0x81, 4, 0, 0x23];
const EC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const ECDSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ECDSA_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4];
const RSA_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 0x0b];

impl Key {
    pub(crate) fn p256() -> Self {
        Self::P256(KeyPair::generate().unwrap())
    }

    pub(crate) fn p256_sha512() -> Self {
        let seed = KeyPair::generate().unwrap();
        let scalar = &seed.public_key_raw()[1..33];
        Self::P256Sha512(p256::ecdsa::SigningKey::from_slice(scalar).unwrap())
    }

    pub(crate) fn p521() -> Self {
        let seed = KeyPair::generate().unwrap();
        let mut scalar = [0; 66];
        scalar[1..65].copy_from_slice(&seed.public_key_raw()[1..65]);
        Self::P521(p521::ecdsa::SigningKey::from_slice(&scalar).unwrap())
    }

    /// An RSA key in PEM form.
    pub(crate) fn rsa(pem: &str) -> Self {
        let algorithm = &rcgen::PKCS_RSA_SHA256;
        Self::Rsa(KeyPair::from_pkcs8_pem_and_sign_algo(pem, algorithm).unwrap())
    }

    fn algorithm(&self) -> Vec<u8> {
        match self {
            Self::P256(_) => sequence(&[element(6, ECDSA_SHA256)]),
            Self::P521(_) | Self::P256Sha512(_) => sequence(&[element(6, ECDSA_SHA512)]),
            Self::Rsa(_) | Self::Other(..) => sequence(&[element(6, RSA_SHA256), element(5, &[])]),
        }
    }

    fn public(&self) -> Vec<u8> {
        match self {
            Self::P256(key) | Self::Rsa(key) => key.subject_public_key_info(),
            Self::Other(_, public) => public.clone(),
            Self::P256Sha512(key) => {
                let algorithm = sequence(&[element(6, EC_KEY), element(6, P256)]);
                let point = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
                sequence(&[algorithm, element(3, &[&[0], &point[..]].concat())])
            }
            Self::P521(key) => {
                let algorithm = sequence(&[element(6, EC_KEY), element(6, P521)]);
                let point = key.verifying_key().to_sec1_point(false).as_bytes().to_vec();
                sequence(&[algorithm, element(3, &[&[0], &point[..]].concat())])
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) | Self::Rsa(key) => key.sign(message).unwrap(),
            Self::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            Self::P256Sha512(key) => {
                let digest = <sha2::Sha512 as sha2::Digest>::digest(message);
                let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).unwrap();
                signature.to_der().as_bytes().to_vec()
            }
            Self::Other(..) => panic!("this key signs nothing"),
        }
    }
}

/// An extension of the arc `id-ce`.
pub(crate) fn extension(number: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut fields = vec![element(6, &[0x55, 0x1d, number])];
    if critical {
        fields.push(element(1, &[0xff]));
    }
    fields.push(element(4, value));
    sequence(&fields)
}

pub(crate) fn element(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len();
    let mut element = vec![tag];
    match length {
        0..0x80 => element.push(length as u8),
        0x80..0x100 => element.extend([0x81, length as u8]),
        _ => element.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    element.extend_from_slice(contents);
    element
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

fn name(common: &str) -> Vec<u8> {
    let attribute = sequence(&[element(6, &[0x55, 4, 3]), element(0x0c, common.as_bytes())]);
    sequence(&[element(0x31, &attribute)])
}

fn pem(kind: &str, der: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in der.chunks(3) {
        let bits = three.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - three.len()));
        for digit in 0..4 {
            let index = (bits >> (18 - 6 * digit)) as usize & 63;
            text.push(if digit > three.len() { '=' } else { char::from(DIGITS[index]) });
        }
    }
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}
