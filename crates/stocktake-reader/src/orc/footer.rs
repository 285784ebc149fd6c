//! Looks at a stripe's footer before `orc-rust` does: lengths by which memory is allocated are checked against the file.
//!
//! Of the footer's protocol buffer (ORC specification v1, "Stripe Footer") only the streams' lengths and the sizes of
//! dictionaries are read.

use crate::{error::ReadError, windows::Windows};
use orc_rust::{
    compression::{Compression, Decompressor},
    stripe::StripeMetadata,
};
use std::io::Read;

/// Most bytes of a stripe's footer: streams and encodings of thousands of columns take less.
const FOOTER_BYTES_MAX: u64 = 16 << 20;

/// Checks what a stripe's footer says.
///
/// # Errors
/// If streams do not fit into the stripe, or a dictionary has more values than the stripe has rows.
pub(super) fn check(
    windows: &Windows,
    stripe: &StripeMetadata,
    compression: Option<Compression>,
) -> Result<(), ReadError> {
    let bytes = windows.range(stripe.footer_offset(), stripe.footer_length());
    let bytes = bytes.map_err(|error| ReadError::io("cannot be read", error))?;
    let mut footer = Vec::new();
    let mut reader = Decompressor::new(bytes, compression, Vec::new()).take(FOOTER_BYTES_MAX);
    reader.read_to_end(&mut footer).map_err(|error| ReadError::io("a stripe's footer is damaged", error))?;
    let damaged = || ReadError::malformed("a stripe's footer is damaged");
    let mut stream_bytes = 0u64;
    each_member(&footer, |number, member| {
        let (lengths, Member::Bytes(inner)) = (number == 1, member) else { return Some(()) };
        if number > 2 {
            return Some(());
        }
        each_member(inner, |number, member| {
            match (lengths, number, member) {
                // Stream.length
                (true, 3, Member::Number(length)) => stream_bytes = stream_bytes.checked_add(length)?,
                // ColumnEncoding.dictionarySize
                (false, 2, Member::Number(values)) if values > stripe.number_of_rows() => return None,
                _ => {}
            }
            Some(())
        })
    })
    .ok_or_else(damaged)?;
    if stream_bytes > stripe.index_length().saturating_add(stripe.data_length()) {
        return Err(damaged());
    }
    Ok(())
}

/// A member of a message: a number, or the bytes of a text or a message. Others are passed over.
enum Member<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

/// Calls `each` with the members of a message; none if it is cut short, or `each` refuses one.
fn each_member<'a>(mut message: &'a [u8], mut each: impl FnMut(u64, Member<'a>) -> Option<()>) -> Option<()> {
    while !message.is_empty() {
        let tag = varint(&mut message)?;
        let member = match tag & 7 {
            0 => Member::Number(varint(&mut message)?),
            1 => skip(&mut message, 8)?,
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                let (bytes, rest) = message.split_at_checked(length)?;
                message = rest;
                Member::Bytes(bytes)
            }
            5 => skip(&mut message, 4)?,
            _ => return None,
        };
        each(tag >> 3, member)?;
    }
    Some(())
}

fn skip<'a>(message: &mut &'a [u8], bytes: usize) -> Option<Member<'a>> {
    *message = message.get(bytes..)?;
    Some(Member::Other)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}
