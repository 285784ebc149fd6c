//! Blocks of column values come back from decoders that we did not write, whatever is said of them.

use super::fault;
use arbitrary::Unstructured;
use std::io::Read;
use stocktake_codec::{DeflateBlocks, Dispatch, Layout, SnappyBlocks, ZstdBlocks};

/// Longest block: long enough for several of DEFLATE's own, and for distances that neither format can say.
const BLOCK_BYTES_MAX: usize = 320 << 10;

/// Longest value that is repeated.
const VALUE_BYTES_MAX: usize = 4096;

/// Any values are laid out as a block, told of truly or not, compressed in three formats, and decoded twice from each.
///
/// # Errors
/// If a decoder refuses the block or gives other bytes, it is longer than promised, or earlier blocks or the processor
/// show in it.
pub fn codec_blocks(bytes: &[u8]) -> Result<(), String> {
    let Ok(Block { text, starts, length_bytes, width }) = arbitrary_block(&mut Unstructured::new(bytes)) else {
        return Ok(());
    };
    let (mut snappy, mut deflate, mut zstd) = (SnappyBlocks::new(), DeflateBlocks::new(), ZstdBlocks::new());
    let layouts = [
        Layout::Sorted { starts: &starts, length_bytes },
        Layout::Random { starts: &starts, length_bytes },
        Layout::Words { head: length_bytes, width },
        Layout::Unknown,
    ];
    for layout in layouts {
        let mut compressed = Vec::new();
        snappy.compress(&text, layout, &mut compressed);
        check_snappy(&compressed, &text)?;
        let mut again = Vec::new();
        SnappyBlocks::new().compress(&text, layout, &mut again);
        same(&again, &compressed, "Snappy shows earlier blocks")?;

        let mut deflated = Vec::new();
        deflate.compress(&text, layout, &mut deflated);
        check_deflate(&deflated, &text)?;
        let mut again = Vec::new();
        let mut portable = DeflateBlocks::new();
        portable.set_dispatch(Dispatch::Portable);
        portable.compress(&text, layout, &mut again);
        same(&again, &deflated, "DEFLATE shows earlier blocks or the processor")?;

        let mut portable = ZstdBlocks::new();
        portable.set_dispatch(Dispatch::Portable);
        let [found, again] = [&mut zstd, &mut portable].map(|zstd| {
            let mut out = vec![0; ZstdBlocks::room_bytes(text.len())];
            zstd.compress_sorted(&text, layout, &mut out).map(|written| out[..written].to_vec())
        });
        check_zstd(found, again, &text, text.len())?;
    }
    // As random text behind a head, from the first start on: as it is, and with nothing in it that is not ASCII.
    let head = starts.first().map_or(0, |start| (*start as usize).min(text.len()));
    let mut ascii = text.clone();
    ascii[head..].iter_mut().for_each(|byte| *byte &= 0x7f);
    check_random(&mut zstd, &text, head)?;
    check_random(&mut zstd, &ascii, head)
}

/// Random text behind a head of so many bytes, which is stored or compressed, comes back.
fn check_random(zstd: &mut ZstdBlocks, text: &[u8], head: usize) -> Result<(), String> {
    let (head, rest) = text.split_at(head);
    for compressed_head in [Vec::new(), zstd::bulk::compress(head, 1).map_err(|error| fault("zstd")(&error))?] {
        let [found, again] = [Dispatch::Auto, Dispatch::Portable].map(|dispatch| {
            zstd.set_dispatch(dispatch);
            let mut out = vec![0; compressed_head.len() + ZstdBlocks::room_bytes(text.len())];
            let written = zstd.compress_random(head, &compressed_head, rest, &mut out);
            written.map(|written| out[..written].to_vec())
        });
        check_zstd(found, again, text, rest.len())?;
    }
    Ok(())
}

/// A frame, if there is one, is the same from other code, its last block is shorter than what it holds, and two decoders read
/// the text from it.
fn check_zstd(
    frame: Option<Vec<u8>>,
    again: Option<Vec<u8>>,
    text: &[u8],
    last_block_holds: usize,
) -> Result<(), String> {
    if frame != again {
        return Err("ZSTD shows earlier blocks or the processor".into());
    }
    let Some(frame) = frame else { return Ok(()) };
    match last_block_bytes(&frame) {
        Some(bytes) if bytes < last_block_holds => {}
        bytes => return Err(format!("{bytes:?} bytes hold {last_block_holds} of ZSTD's last block")),
    }
    let decoded = zstd::bulk::decompress(&frame, text.len()).map_err(|error| fault("libzstd")(&error))?;
    same(&decoded, text, "libzstd decodes other bytes")?;
    let mut decoded = Vec::new();
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(&frame[..]).map_err(|error| fault("ruzstd")(&error))?;
    decoder.read_to_end(&mut decoded).map_err(|error| fault("ruzstd")(&error))?;
    same(&decoded, text, "ruzstd decodes other bytes")
}

/// Length of the last block of a frame with a head of nine bytes, if nothing follows it.
fn last_block_bytes(frame: &[u8]) -> Option<usize> {
    let mut rest = frame.get(9..)?;
    loop {
        let (head, after) = rest.split_first_chunk::<3>()?;
        let word = u32::from_le_bytes([head[0], head[1], head[2], 0]);
        let size = (word >> 3) as usize;
        let bytes = if word >> 1 & 3 == 1 { 1 } else { size };
        if word & 1 == 1 {
            return (after.len() == bytes).then_some(bytes);
        }
        rest = after.get(bytes..)?;
    }
}

struct Block {
    text: Vec<u8>,
    starts: Vec<u32>,
    length_bytes: usize,
    width: usize,
}

/// Values that repeat each other in part, one after another; some starts may lie.
fn arbitrary_block(data: &mut Unstructured<'_>) -> arbitrary::Result<Block> {
    let length_bytes = *data.choose(&[0, 4, 4, 1, 8, 300])?;
    let width = *data.choose(&[8, 8, 4, 2, 3, 16, 0, usize::MAX])?;
    let head: &[u8] = data.arbitrary()?;
    let (mut text, mut starts) = (head.to_vec(), Vec::new());
    let mut above: Vec<u8> = Vec::new();
    while !data.is_empty() && text.len() < BLOCK_BYTES_MAX {
        // A value is the front of the one above, something new, the back of the one above; many times, counted through.
        let [front, back] =
            [data.arbitrary::<u8>()?, data.arbitrary()?].map(|part| usize::from(part) % (above.len() + 1));
        let bytes = usize::from(data.arbitrary::<u8>()? % 24);
        let new = data.bytes(bytes.min(data.len()))?;
        let times = *data.choose(&[1, 1, 1, 2, 20, 300])?;
        let value = [&above[..front], new, &above[above.len() - back..]].concat();
        for number in 0..times {
            starts.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
            text.extend(&value.len().to_le_bytes()[..length_bytes.min(8)]);
            text.extend(&value);
            if times > 2 {
                text.extend(format!("{number:03}").bytes());
            }
        }
        above = value;
        // Longer ones would fill the block after a few of them.
        above.truncate(VALUE_BYTES_MAX);
    }
    for _ in 0..data.int_in_range(0..=2)? {
        let at = data.int_in_range(0..=starts.len())?;
        starts.insert(at, data.arbitrary()?);
    }
    Ok(Block { text, starts, length_bytes, width })
}

fn check_snappy(compressed: &[u8], text: &[u8]) -> Result<(), String> {
    if compressed.len() > SnappyBlocks::compressed_bytes_max(text.len()) {
        return Err(format!("Snappy makes {} bytes of {}", compressed.len(), text.len()));
    }
    let decoded = snap::raw::Decoder::new().decompress_vec(compressed).map_err(|error| fault("snap")(&error))?;
    same(&decoded, text, "snap decodes other bytes")?;
    let decoded = unsnapped(compressed).ok_or("Snappy is damaged, as its description goes")?;
    same(&decoded, text, "Snappy means other bytes, as its description goes")
}

fn check_deflate(deflated: &[u8], text: &[u8]) -> Result<(), String> {
    if deflated.len() > DeflateBlocks::compressed_bytes_max(text.len()) {
        return Err(format!("DEFLATE makes {} bytes of {}", deflated.len(), text.len()));
    }
    let mut decoded = Vec::new();
    let mut decoder = flate2::bufread::DeflateDecoder::new(deflated);
    decoder.read_to_end(&mut decoded).map_err(|error| fault("zlib-rs")(&error))?;
    same(&decoded, text, "zlib-rs decodes other bytes")?;
    if decoder.total_in() != deflated.len() as u64 {
        return Err("bytes follow the last block".into());
    }
    let decoded = miniz_oxide::inflate::decompress_to_vec(deflated).map_err(|error| fault("miniz_oxide")(&error))?;
    same(&decoded, text, "miniz_oxide decodes other bytes")
}

fn same(found: &[u8], wanted: &[u8], what: &str) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(what.into()) }
}

/// Decodes Snappy as its description says; nothing if it is not sound.
fn unsnapped(from: &[u8]) -> Option<Vec<u8>> {
    let mut rest = from;
    let mut number = |bytes: usize| {
        let (taken, left) = rest.split_at_checked(bytes)?;
        rest = left;
        Some(taken.iter().rev().fold(0, |all, byte| all << 8 | usize::from(*byte)))
    };
    let (mut length, mut shift) = (0, 0);
    loop {
        let byte = number(1)?;
        length |= (byte & 127) << shift;
        shift += 7;
        if byte < 128 {
            break;
        }
    }
    let mut text: Vec<u8> = Vec::new();
    while text.len() < length {
        let tag = number(1)?;
        let (bytes, distance) = match tag & 3 {
            0 => {
                let less = if tag >> 2 < 60 { tag >> 2 } else { number((tag >> 2) - 59)? };
                for _ in 0..=less {
                    text.push(u8::try_from(number(1)?).ok()?);
                }
                continue;
            }
            1 => ((tag >> 2 & 7) + 4, (tag >> 5) << 8 | number(1)?),
            2 => ((tag >> 2) + 1, number(2)?),
            _ => ((tag >> 2) + 1, number(4)?),
        };
        for _ in 0..bytes {
            text.push(*text.get(text.len().checked_sub(distance)?)?);
        }
    }
    (text.len() == length && rest.is_empty()).then_some(text)
}
