//! One-time passwords by time (TOTP, RFC 6238, with SHA-1 and 30 seconds as all apps know it), and
//! the recovery codes beside them.

use crate::accounts::secret;
use crate::failure::Failure;
use ring::hmac;
use serde::{Deserialize, Serialize};

/// The seconds that a code is valid; the one before and the one after are accepted too.
const STEP: u64 = 30;
/// The recovery codes of a user, each valid once.
const RECOVERY_CODES: usize = 5;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What a one-time password is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Mode {
    /// Logins, and changes of the account.
    AuthOnly,
    /// Publishing and other changes of packages as well.
    AuthAndWrites,
}

/// A user's second factor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SecondFactor {
    /// The shared secret in base 32.
    pub(crate) secret: String,
    pub(crate) mode: Mode,
    /// Whether the user has not yet shown a code of it; until then it protects nothing.
    pub(crate) pending: bool,
    /// The digests of the recovery codes that are left.
    #[serde(default)]
    pub(crate) recovery: Vec<String>,
}

impl SecondFactor {
    /// Makes a secret, which protects nothing until a first code confirms it.
    pub(crate) fn new(mode: Mode) -> Result<Self, Failure> {
        let mut random = [0_u8; 20];
        getrandom::fill(&mut random).map_err(Failure::internal)?;
        Ok(Self { secret: to_base32(&random), mode, pending: true, recovery: Vec::new() })
    }

    /// Whether `code` is valid at this time, in seconds since 1970.
    pub(crate) fn accepts(&self, code: &str, seconds: u64) -> bool {
        let now = seconds / STEP;
        let codes = [now.saturating_sub(1), now, now + 1].map(|step| self.code(step));
        codes.iter().fold(false, |found, valid| found | secret::same(valid, code))
    }

    /// Takes a recovery code away; false where it is none.
    pub(crate) fn take_recovery(&mut self, code: &str) -> bool {
        let digest = secret::digest(code);
        let before = self.recovery.len();
        self.recovery.retain(|stored| !secret::same(stored, &digest));
        self.recovery.len() < before
    }

    /// Makes recovery codes and returns them; only their digests are kept.
    pub(crate) fn renew_recovery(&mut self) -> Result<Vec<String>, Failure> {
        let codes: Vec<String> =
            (0..RECOVERY_CODES).map(|_| secret::random_hex(16)).collect::<Result<_, _>>()?;
        self.recovery = codes.iter().map(|code| secret::digest(code)).collect();
        Ok(codes)
    }

    /// Returns the address that an authenticator app reads as a QR code.
    pub(crate) fn address(&self, host: &str, user: &str) -> String {
        let label = format!("{host}:{user}");
        let label: String = url::form_urlencoded::byte_serialize(label.as_bytes()).collect();
        let issuer: String = url::form_urlencoded::byte_serialize(host.as_bytes()).collect();
        format!("otpauth://totp/{label}?secret={}&issuer={issuer}", self.secret)
    }

    /// Returns the six digits of a step.
    fn code(&self, step: u64) -> String {
        let secret = from_base32(&self.secret);
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
        let digest = hmac::sign(&key, &step.to_be_bytes());
        let digest = digest.as_ref();
        let at = usize::from(digest.last().copied().unwrap_or(0) & 0x0f);
        let four = digest.iter().skip(at).take(4);
        let number = four.fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
    }

    /// Returns the code that is valid now, for tests of the whole server.
    #[cfg(test)]
    pub(crate) fn current(&self, seconds: u64) -> String {
        self.code(seconds / STEP)
    }
}

fn to_base32(bytes: &[u8]) -> String {
    let (mut text, mut held, mut bits) = (String::new(), 0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(BASE32[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(BASE32[(held << (5 - bits) & 31) as usize]));
    }
    text
}

fn from_base32(text: &str) -> Vec<u8> {
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    let values = text.bytes().filter_map(|byte| BASE32.iter().position(|known| *known == byte));
    for value in values {
        held = (held & 0x1f_ffff) << 5 | u32::try_from(value).unwrap_or(0);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{Mode, SecondFactor, from_base32, to_base32};

    fn factor() -> SecondFactor {
        let secret = to_base32(b"12345678901234567890");
        SecondFactor { secret, mode: Mode::AuthOnly, pending: false, recovery: Vec::new() }
    }

    /// The values of RFC 6238, appendix B, cut to six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(factor().code(seconds / 30), code);
            assert!(factor().accepts(code, seconds));
            assert!(factor().accepts(code, seconds + 30), "a code may be one step old");
            assert!(!factor().accepts(code, seconds + 90));
        }
    }

    #[test]
    fn recovery_codes_are_valid_once() {
        let mut factor = factor();
        let codes = factor.renew_recovery().unwrap();
        assert_eq!(codes.len(), 5);
        assert!(!factor.take_recovery("not one"));
        assert!(factor.take_recovery(&codes[3]));
        assert!(!factor.take_recovery(&codes[3]));
    }

    #[test]
    fn base_32_comes_back() {
        for bytes in [&b""[..], b"f", b"fo", b"foo", b"foobar", &[0xff; 20]] {
            assert_eq!(from_base32(&to_base32(bytes)), bytes);
        }
        assert_eq!(to_base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(to_base32(b"f"), "MY");
    }
}
