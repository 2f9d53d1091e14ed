//! The MD5 crypt family: `$1$` and Apache's `$apr1$`, which differ in the magic only.

use md5::{Digest, Md5};

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The part after the salt of the crypt line.
pub fn md5_crypt(magic: &str, password: &[u8], salt: &[u8]) -> String {
    let mut hash = rounds(password, salt, first(magic, password, salt)).to_vec();
    hash.push(hash[5]);
    let mut out = String::with_capacity(22);
    for [a, b, c] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 16]] {
        let word = u32::from(hash[a]) << 16 | u32::from(hash[b]) << 8 | u32::from(hash[c]);
        encode(&mut out, word, 4);
    }
    encode(&mut out, u32::from(hash[11]), 2);
    out
}

fn encode(out: &mut String, mut word: u32, letters: usize) {
    for _ in 0..letters {
        out.push(char::from(ALPHABET[(word & 63) as usize]));
        word >>= 6;
    }
}

fn first(magic: &str, password: &[u8], salt: &[u8]) -> [u8; 16] {
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut outer = Md5::new().chain_update(password).chain_update(magic).chain_update(salt);
    let mut left = password.len();
    while left > 0 {
        let taken = left.min(16);
        outer.update(&inner[..taken]);
        left -= taken;
    }
    let mut bits = password.len();
    while bits > 0 {
        if bits & 1 == 1 {
            outer.update([0])
        } else {
            outer.update(&password[..1])
        }
        bits >>= 1;
    }
    outer.finalize().into()
}

fn rounds(password: &[u8], salt: &[u8], mut hash: [u8; 16]) -> [u8; 16] {
    for round in 0..1000 {
        let (start, end): (&[u8], &[u8]) = if round & 1 == 1 { (password, &hash) } else { (&hash, password) };
        let mut next = Md5::new().chain_update(start);
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(end);
        hash = next.finalize().into();
    }
    hash
}
