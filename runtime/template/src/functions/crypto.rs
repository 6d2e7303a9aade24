//! Digests and identifiers.

use super::Shape::{Number, Text};
use super::{Call, Failure, Function, Purity, wrong};
use crate::value::Val;
use crate::value::types::Type;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};
use sha2::Digest as _;
use std::fmt::Write as _;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("bcrypt", (1, 2), &[Text, Number], Type::Text, bcrypt).purity(Purity::Random),
    Function::new("rsadecrypt", (2, 2), &[Text, Text], Type::Text, rsadecrypt),
    Function::new("md5", (1, 1), &[Text], Type::Text, |c| Ok(hex(&md5::Md5::digest(c.text(0)?.as_bytes())))),
    Function::new("sha1", (1, 1), &[Text], Type::Text, |c| {
        Ok(hex(&sha1::Sha1::digest(c.text(0)?.as_bytes())))
    }),
    Function::new("sha256", (1, 1), &[Text], Type::Text, |c| {
        Ok(hex(&sha2::Sha256::digest(c.text(0)?.as_bytes())))
    }),
    Function::new("sha512", (1, 1), &[Text], Type::Text, |c| {
        Ok(hex(&sha2::Sha512::digest(c.text(0)?.as_bytes())))
    }),
    Function::new("uuidv4", (0, 0), &[], Type::Text, uuidv4).purity(Purity::Random),
    Function::new("uuidv5", (2, 2), &[Text, Text], Type::Text, uuidv5),
];

/// A text encrypted for the key by PKCS #1 v1.5.
fn rsadecrypt(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let encrypted = STANDARD.decode(c.text(0)?.as_bytes()).map_err(|_| wrong(0, "not base64"))?;
    let bytes = rsa_key(&c.text(1)?)?
        .decrypt(Pkcs1v15Encrypt, &encrypted)
        .map_err(|_| wrong(0, "not decrypted by this key"))?;
    String::from_utf8(bytes).map(Val::text).map_err(|_| wrong(0, "the decrypted bytes are not UTF-8"))
}

fn rsa_key(pem: &str) -> Result<RsaPrivateKey, Failure> {
    if pem.contains("BEGIN OPENSSH PRIVATE KEY") {
        return Err(wrong(1, "a key in OpenSSH's format; convert it with `ssh-keygen -p -m PEM -f FILE`"));
    }
    RsaPrivateKey::from_pkcs1_pem(pem)
        .or_else(|_| RsaPrivateKey::from_pkcs8_pem(pem))
        .map_err(|_| wrong(1, "no RSA key in PEM (PKCS #1 or #8, without a passphrase)"))
}

fn hex(bytes: &[u8]) -> Val {
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        let _ = write!(out, "{b:02x}");
    }
    Val::text(out)
}

/// 16 bytes as a UUID of `version`.
fn uuid(mut bytes: [u8; 16], version: u8) -> String {
    let [.., v, _, n, _, _, _, _, _, _, _] = &mut bytes;
    *v = (*v & 0x0f) | (version << 4);
    *n = (*n & 0x3f) | 0x80;
    let mut out = String::with_capacity(36);
    for (i, b) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        let _ = write!(out, "{b:02x}");
    }
    out
}

fn uuidv4(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let mut bytes = [0; 16];
    c.context.world.environment.random(&mut bytes);
    Ok(Val::text(uuid(bytes, 4)))
}

fn uuidv5(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let (space, name) = (c.text(0)?, c.text(1)?);
    // The four name spaces of RFC 4122, appendix C, differ in one byte.
    let known = |last: u32| format!("6ba7b8{last:02x}-9dad-11d1-80b4-00c04fd430c8");
    let space = match &*space {
        "dns" => known(0x10),
        "url" => known(0x11),
        "oid" => known(0x12),
        "x500" => known(0x14),
        other => other.to_owned(),
    };
    let bytes =
        parse_uuid(&space).ok_or_else(|| wrong(0, "the name space must be dns, url, oid, x500 or a UUID"))?;
    let mut hasher = sha1::Sha1::new();
    hasher.update(bytes);
    hasher.update(name.as_bytes());
    let digest: [u8; 20] = hasher.finalize().into();
    let mut first = [0; 16];
    first.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    Ok(Val::text(uuid(first, 5)))
}

fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u32> =
        text.chars().filter(|c| *c != '-').map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    if digits.len() != 32 || text.len() != 36 {
        return None;
    }
    let mut bytes = [0; 16];
    for (to, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let [high, low] = pair else { return None };
        *to = u8::try_from(high * 16 + low).ok()?;
    }
    Some(bytes)
}

/// The highest cost; each step doubles the time, and this one takes seconds.
const MAX_COST: i64 = 16;

fn bcrypt(c: &Call<'_, '_>) -> Result<Val, Failure> {
    let text = c.text(0)?;
    let cost = if c.is_given(1) { c.whole(1)? } else { 10 };
    let cost = u32::try_from(cost).ok().filter(|cost| (4..=MAX_COST).contains(&i64::from(*cost)));
    let cost = cost.ok_or_else(|| wrong(1, format!("the cost must be from 4 to {MAX_COST}")))?;
    if text.len() > 72 {
        return Err(wrong(0, "bcrypt takes at most 72 bytes"));
    }
    let mut salt = [0; 16];
    c.context.world.environment.random(&mut salt);
    let parts = bcrypt::hash_with_salt(text.as_bytes(), cost, salt).map_err(|e| wrong(0, e.to_string()))?;
    Ok(Val::text(parts.format_for_version(bcrypt::Version::TwoA)))
}
