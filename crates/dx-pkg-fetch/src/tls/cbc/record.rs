//! The encryption of records.

use super::mac::{self, Mac};
use aes::cipher::{Block, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use aes::{Aes128, Aes256};
use rustls::crypto::SecureRandom;
use rustls::crypto::cipher::{
    InboundOpaqueMessage, InboundPlainMessage, MessageDecrypter, MessageEncrypter,
    OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload, make_tls12_aad,
};
use rustls::{ContentType, Error, ProtocolVersion};

/// The length of a block, in bytes.
const BLOCK: usize = 16;
/// The longest content of a record (RFC 5246 §6.2.1), in bytes.
const LONGEST: usize = 1 << 14;

/// A key for AES.
enum Key {
    Short([u8; 16]),
    Long([u8; 32]),
}

impl Key {
    fn new(key: &[u8]) -> Self {
        let mut long = [0; 32];
        match <[u8; 16]>::try_from(key) {
            Ok(short) => Self::Short(short),
            Err(_) => {
                let length = key.len().min(long.len());
                long[..length].copy_from_slice(&key[..length]);
                Self::Long(long)
            }
        }
    }

    fn encrypt(&self, iv: [u8; BLOCK], data: &mut [u8]) {
        let (blocks, _) = Block::<Aes128>::slice_as_chunks_mut(data);
        match self {
            Self::Short(key) => {
                cbc::Encryptor::<Aes128>::new(&(*key).into(), &iv.into()).encrypt_blocks(blocks);
            }
            Self::Long(key) => {
                cbc::Encryptor::<Aes256>::new(&(*key).into(), &iv.into()).encrypt_blocks(blocks);
            }
        }
    }

    fn decrypt(&self, iv: [u8; BLOCK], data: &mut [u8]) {
        let (blocks, _) = Block::<Aes128>::slice_as_chunks_mut(data);
        match self {
            Self::Short(key) => {
                cbc::Decryptor::<Aes128>::new(&(*key).into(), &iv.into()).decrypt_blocks(blocks);
            }
            Self::Long(key) => {
                cbc::Decryptor::<Aes256>::new(&(*key).into(), &iv.into()).decrypt_blocks(blocks);
            }
        }
    }
}

/// Encrypts records: `IV ‖ encrypted (content ‖ MAC ‖ padding)`.
pub(super) struct Sealer {
    key: Key,
    mac: Box<dyn Mac>,
    random: &'static dyn SecureRandom,
}

impl Sealer {
    pub(super) fn new(key: &[u8], mac: Box<dyn Mac>, random: &'static dyn SecureRandom) -> Self {
        Self { key: Key::new(key), mac, random }
    }
}

impl MessageEncrypter for Sealer {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let mut iv = [0; BLOCK];
        self.random.fill(&mut iv)?;
        let mut content = message.payload.to_vec();
        let header = header(sequence, message.typ, message.version, content.len());
        let mac = self.mac.sign(&header, &content);
        content.extend_from_slice(&mac[..self.mac.length()]);
        let padding = BLOCK - 1 - content.len() % BLOCK;
        content.resize(content.len() + padding + 1, padding as u8);
        self.key.encrypt(iv, &mut content);
        let mut payload = PrefixedPayload::with_capacity(BLOCK + content.len());
        payload.extend_from_slice(&iv);
        payload.extend_from_slice(&content);
        Ok(OutboundOpaqueMessage::new(message.typ, message.version, payload))
    }

    fn encrypted_payload_len(&self, payload_len: usize) -> usize {
        BLOCK + (payload_len + self.mac.length()) / BLOCK * BLOCK + BLOCK
    }
}

/// Decrypts records.
pub(super) struct Opener {
    key: Key,
    mac: Box<dyn Mac>,
}

impl Opener {
    pub(super) fn new(key: &[u8], mac: Box<dyn Mac>) -> Self {
        Self { key: Key::new(key), mac }
    }
}

impl MessageDecrypter for Opener {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let payload = &mut message.payload;
        let Some((iv, data)) = payload.split_first_chunk_mut::<BLOCK>() else {
            return Err(Error::DecryptError);
        };
        if data.is_empty() || data.len() % BLOCK != 0 {
            return Err(Error::DecryptError);
        }
        self.key.decrypt(*iv, data);
        let (typ, version) = (message.typ, message.version);
        let header = |length| header(sequence, typ, version, length);
        let length = mac::open(&*self.mac, data, header).ok_or(Error::DecryptError)?;
        if length > LONGEST {
            return Err(Error::PeerSentOversizedRecord);
        }
        Ok(message.into_plain_message_range(BLOCK..BLOCK + length))
    }
}

/// Returns what the MAC covers before the content (RFC 5246 §6.2.3.1).
fn header(sequence: u64, typ: ContentType, version: ProtocolVersion, length: usize) -> [u8; 13] {
    make_tls12_aad(sequence, typ, version, length)
}
