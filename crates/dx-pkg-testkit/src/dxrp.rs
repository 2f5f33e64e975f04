//! A server of DXRP beside the test registry, written from `docs/format/dxrp.md` alone, that can go
//! wrong in every way.

mod package;
mod wire;

use std::io::{self, Read, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

use crate::packument::Package;
use package::Pack;
use wire::{Wanted, frame, frames, read_request};

/// How a peer carries frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DxrpCarrier {
    /// Over a connection after `Upgrade`.
    Raw,
    /// In bodies of HTTP only.
    Http,
}

/// What a peer does wrong, from the second package of a stream on where it is about packages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DxrpFault {
    /// It answers nothing but an error.
    Refuses,
    /// It says of every package that it is not to be had.
    HasNothing,
    /// It closes the connection in the middle of a package.
    Dies,
    /// It ends without the package.
    LeavesOut,
    /// It counts more packages than it sent.
    Miscounts,
    /// It sends a package a second time.
    Repeats,
    /// It sends packages without an end.
    Endless,
    /// It sends the packages before its key.
    OutOfOrder,
    /// Its frame states a length that no frame has.
    OverLong,
    /// The bytes of a frame are not those that its checksum is of.
    Damages,
    /// It signs with a key that it does not name.
    Forges,
    /// It states another content root, and signs it.
    OtherRoot,
    /// It swaps two bytes of the contents.
    OtherContents,
    /// The contents are longer than the files together.
    Bomb,
    /// The contents are shorter than the files together.
    Lies,
    /// The files lead out of the package.
    Climbs,
    /// The package has the id of another one.
    OtherId,
    /// It states of a package what it has stated of another one, with the contents of that.
    Replays,
    /// It sends a difference from a package that the client does not have.
    OtherBase,
    /// It sends a package byte by byte, so that it never ends.
    Trickles,
    /// The head of a package states a length that it does not have.
    LongHead,
    /// The head of a package is longer than it states.
    HeadBomb,
    /// The sizes of the files add up to more than a number can hold.
    Sizes,
    /// It sends packuments that nobody asked for, without an end.
    Chatters,
    /// It says of packages that nobody asked for that it does not have them, without an end.
    Denies,
    /// It sends a plan that nobody asked for.
    Plans,
    /// It does not answer the question whether it speaks DXRP.
    Silent,
    /// It states and signs what is not in the tarball of the package.
    Lures,
}

/// A server of DXRP.
#[derive(Debug)]
pub(crate) struct Peer {
    carrier: DxrpCarrier,
    fault: Option<DxrpFault>,
    key: EcdsaKeyPair,
    other_key: EcdsaKeyPair,
    pub(crate) packs: AtomicUsize,
    pub(crate) requests: AtomicUsize,
    /// The packs that were made, by name and version.
    made: Mutex<Vec<((String, String), Pack)>>,
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
    let document = document.expect("the system has random bytes");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random)
        .expect("a key that was just made")
}

impl Peer {
    pub(crate) fn new(carrier: DxrpCarrier, fault: Option<DxrpFault>) -> Self {
        Self {
            carrier,
            fault,
            key: new_key(),
            other_key: new_key(),
            packs: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            made: Mutex::default(),
        }
    }

    pub(crate) fn carrier(&self) -> DxrpCarrier {
        self.carrier
    }

    /// Returns whether the question for the protocol stays without an answer.
    pub(crate) fn is_silent(&self) -> bool {
        self.fault == Some(DxrpFault::Silent)
    }

    /// Answers requests until the client closes the connection, or only one.
    pub(crate) fn converse(
        &self,
        from: &mut impl Read,
        to: &mut impl Write,
        packages: impl Fn(&str, &str) -> Option<Vec<u8>>,
        only_one: bool,
    ) -> io::Result<()> {
        while let Some(request) = read_request(from)? {
            self.requests.fetch_add(1, Ordering::SeqCst);
            self.answer(&request, to, &packages)?;
            to.flush()?;
            if only_one {
                break;
            }
        }
        Ok(())
    }

    fn answer(
        &self,
        request: &wire::Request,
        to: &mut impl Write,
        packages: &impl Fn(&str, &str) -> Option<Vec<u8>>,
    ) -> io::Result<()> {
        to.write_all(&frames(0x01, &wire::hello()))?;
        if self.fault != Some(DxrpFault::OutOfOrder) {
            to.write_all(&frames(0x10, self.key.public_key().as_ref()))?;
        }
        if self.fault == Some(DxrpFault::Refuses) || request.asks_plan {
            return to.write_all(&frames(0x1e, &wire::error(2, "not here")));
        }
        let (part, parts) = (usize::from(request.part), usize::from(request.parts.max(1)));
        let own = request.wanted.iter().enumerate().filter(|(at, _)| at % parts == part);
        let mut sent = 0_u32;
        for (number, (_, wanted)) in own.enumerate() {
            let fault = self.fault.filter(|_| number > 0);
            let tarball = packages(&wanted.name, &wanted.version);
            let tarball = tarball.filter(|_| self.fault != Some(DxrpFault::HasNothing));
            let Some(tarball) = tarball else {
                let mut missing = wanted.id.to_vec();
                missing.push(1);
                to.write_all(&frames(0x14, &missing))?;
                sent += 1;
                continue;
            };
            if fault == Some(DxrpFault::LeavesOut) {
                continue;
            }
            if fault == Some(DxrpFault::Replays) {
                let other = &request.wanted[part];
                let other_tarball = packages(&other.name, &other.version).expect("published");
                to.write_all(&frames(0x12, &self.replayed(wanted, other, &other_tarball)))?;
                sent += 1;
                continue;
            }
            self.send_pack(wanted, &tarball, fault, to)?;
            sent += 1;
            self.packs.fetch_add(1, Ordering::SeqCst);
        }
        if self.fault == Some(DxrpFault::OutOfOrder) {
            to.write_all(&frames(0x10, self.key.public_key().as_ref()))?;
        }
        sent += u32::from(self.fault == Some(DxrpFault::Miscounts));
        let mut end = sent.to_le_bytes().to_vec();
        end.extend_from_slice(&[0; 4]);
        to.write_all(&frames(0x1f, &end))
    }

    /// Returns the message of another package under the id of the one that is wanted.
    fn replayed(&self, wanted: &Wanted, other: &Wanted, tarball: &[u8]) -> Vec<u8> {
        let pack = self.pack(other, tarball);
        let signature = self.key.sign(&SystemRandom::new(), &pack.statement(&other.id));
        pack.encode(&wanted.id, signature.expect("signed").as_ref())
    }

    /// Sends a package, and goes wrong as it should.
    fn send_pack(
        &self,
        wanted: &Wanted,
        tarball: &[u8],
        fault: Option<DxrpFault>,
        to: &mut impl Write,
    ) -> io::Result<()> {
        let mut pack = self.pack(wanted, tarball);
        let mut id = wanted.id;
        match fault {
            Some(DxrpFault::OtherRoot) => pack.root[0] ^= 1,
            Some(DxrpFault::OtherContents) => pack.contents.reverse(),
            Some(DxrpFault::Bomb) => pack.contents.resize(pack.contents.len() + (1 << 26), 0),
            Some(DxrpFault::Lies) => pack.contents.truncate(pack.contents.len() / 2),
            Some(DxrpFault::Climbs) => pack.files[0].0 = "../../outside".to_owned(),
            Some(DxrpFault::OtherId) => id[0] ^= 1,
            Some(DxrpFault::Lures) => pack.alter(),
            Some(DxrpFault::Sizes) => pack.files[0].2 = u64::MAX,
            _ => {}
        }
        let key = if fault == Some(DxrpFault::Forges) { &self.other_key } else { &self.key };
        let signature = key.sign(&SystemRandom::new(), &pack.statement(&id)).expect("signed");
        let mut message = pack.encode(&id, signature.as_ref());
        match fault {
            // After the flag, the root and the signature.
            Some(DxrpFault::LongHead) => {
                message[97..101].copy_from_slice(&(16_u32 << 20).to_le_bytes())
            }
            Some(DxrpFault::HeadBomb) => {
                let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 3).expect("compressed");
                let length = u32::try_from(bomb.len()).expect("short").to_le_bytes();
                message.truncate(97);
                message.extend([&1000_u32.to_le_bytes()[..], &length, &bomb].concat());
            }
            Some(DxrpFault::OtherBase) => {
                message[0] = 1;
                message.splice(1..1, [7; 32]);
            }
            _ => {}
        }
        let mut bytes = frames(0x12, &message);
        match fault {
            Some(DxrpFault::Dies) => {
                to.write_all(&bytes[..bytes.len() / 2])?;
                to.flush()?;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            Some(DxrpFault::Damages) => {
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
            }
            Some(DxrpFault::OverLong) => bytes[4..8].copy_from_slice(&(2_u32 << 20).to_le_bytes()),
            Some(DxrpFault::Repeats) => to.write_all(&bytes)?,
            Some(DxrpFault::Trickles) => {
                for byte in &bytes {
                    to.write_all(&[*byte])?;
                    to.flush()?;
                    std::thread::sleep(Duration::from_millis(40));
                }
            }
            Some(DxrpFault::Chatters) => loop {
                // A packument that is current, as far as it goes.
                to.write_all(&frames(0x15, &[1, 0, 0, 0, b'a', 1]))?;
            },
            Some(DxrpFault::Denies) => loop {
                to.write_all(&frames(0x14, &[&[9; 32][..], &[1]].concat()))?;
            },
            Some(DxrpFault::Plans) => {
                let plan = [&[0; 8][..], &[0; 4], &[0; 4], &[0; 4]].concat();
                to.write_all(&frames(0x11, &plan))?;
            }
            // The client ends it: the writes fail then.
            Some(DxrpFault::Endless) => loop {
                to.write_all(&frame(0x12, &[7; 1 << 20], true))?;
            },
            _ => {}
        }
        to.write_all(&bytes)
    }

    fn pack(&self, wanted: &Wanted, tarball: &[u8]) -> Pack {
        let key = (wanted.name.clone(), wanted.version.clone());
        let mut made = self.made.lock().unwrap();
        if let Some((_, pack)) = made.iter().find(|(known, _)| *known == key) {
            return pack.clone();
        }
        let pack = Pack::of_tarball(tarball);
        made.push((key, pack.clone()));
        pack
    }
}

/// Returns the tarball of a published version.
pub(crate) fn tarball_of(package: Option<&Package>, version: &str) -> Option<Vec<u8>> {
    let versions = &package?.versions;
    let published = versions.iter().find(|published| published.version == version)?;
    Some(published.tarball.clone())
}
