//! Counts and hashes what a destination accepted of a data file.

use crate::{
    destination::{DestinationError, PendingObject},
    digest::{Md5Stream, md5_together},
};
use std::{
    fmt,
    io::{self, Read, Write},
};
use stocktake_codec::Dispatch;
use twox_hash::XxHash3_128;

/// A data file being written: counts and hashes bytes after the destination has accepted them.
pub struct ShardWriter {
    object: Box<dyn PendingObject>,
    md5: Hashing,
    size_bytes: u64,
}

enum Hashing {
    Passing(Md5Stream),
    /// From what the destination gives back, which is to be what it was given: what passed has this hash.
    Later(Box<XxHash3_128>),
    Done(String),
}

/// Size and MD5 of a published data file, of the bytes that are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardDigest {
    /// Size in bytes.
    pub size_bytes: u64,
    /// MD5 in lower-case hex.
    pub md5: String,
}

impl ShardWriter {
    /// A writer at the start of an object, which hashes bytes as they pass.
    pub fn new(object: Box<dyn PendingObject>) -> Self {
        Self { object, md5: Hashing::Passing(Md5Stream::new()), size_bytes: 0 }
    }

    /// A writer at the start of an object that is hashed later, with others ([`ShardWriter::digest_together`]), from what its
    /// destination gives back. As [`ShardWriter::new`] if it gives nothing back.
    ///
    /// # Errors
    /// If the destination fails to give back what it could.
    pub fn hashed_later(object: Box<dyn PendingObject>) -> io::Result<Self> {
        // It is asked again when it is hashed: until then no reader takes a file descriptor.
        if object.written()?.is_none() {
            return Ok(Self::new(object));
        }
        Ok(Self { object, md5: Hashing::Later(Box::new(XxHash3_128::new())), size_bytes: 0 })
    }

    /// Bytes that the destination accepted so far.
    pub fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// Whether it is still to be hashed.
    pub fn is_hashed_later(&self) -> bool {
        matches!(self.md5, Hashing::Later(_))
    }

    /// Hashes what was written through these writers and is still to be hashed, several at once where the processor gains by it.
    ///
    /// # Errors
    /// In the place of each writer: if the destination does not give back what it accepted.
    pub fn digest_together(writers: &mut [&mut Self], dispatch: Dispatch) -> Vec<io::Result<()>> {
        let mut outcomes: Vec<io::Result<()>> = writers.iter().map(|_| Ok(())).collect();
        let (mut numbers, mut readers) = (Vec::new(), Vec::new());
        for (number, writer) in writers.iter().enumerate().filter(|(_, writer)| writer.is_hashed_later()) {
            let written = writer.object.written();
            match written.and_then(|written| written.ok_or_else(|| io::Error::other("nothing is given back"))) {
                Ok(written) => {
                    numbers.push(number);
                    readers.push(GivenBack { written, hash: XxHash3_128::new(), bytes: 0 });
                }
                Err(error) => outcomes[number] = Err(error),
            }
        }
        let digests = md5_together(&mut readers, dispatch);
        let found: Vec<_> = readers.into_iter().map(|back| (back.bytes, back.hash.finish_128())).collect();
        for ((number, digest), (bytes, hash)) in numbers.into_iter().zip(digests).zip(found) {
            let writer = &mut *writers[number];
            let is_same = match &writer.md5 {
                Hashing::Later(passed) => bytes == writer.size_bytes && hash == passed.finish_128(),
                _ => true,
            };
            outcomes[number] = match digest {
                Ok(md5) if is_same => {
                    writer.md5 = Hashing::Done(md5);
                    Ok(())
                }
                Ok(_) => {
                    let text = format!(
                        "what was written reads back otherwise: {bytes} bytes of {}, or others",
                        writer.size_bytes
                    );
                    Err(io::Error::new(io::ErrorKind::InvalidData, text))
                }
                Err(error) => Err(error),
            };
        }
        outcomes
    }

    /// Publishes the object, which is hashed before if it still is to be.
    ///
    /// # Errors
    /// As [`PendingObject::publish`]; if the destination does not give back what it accepted.
    pub fn publish(mut self) -> Result<ShardDigest, DestinationError> {
        let hashed = Self::digest_together(&mut [&mut self], Dispatch::Auto);
        let hashed: io::Result<()> = hashed.into_iter().collect();
        hashed.map_err(|error| DestinationError::io("a data file", "cannot be read back", error))?;
        let Self { object, md5, size_bytes } = self;
        let md5 = match md5 {
            Hashing::Passing(md5) => md5.finish(),
            Hashing::Done(md5) => md5,
            Hashing::Later(_) => {
                let fault = io::Error::other("it was not hashed");
                return Err(DestinationError::io("a data file", "cannot be published", fault));
            }
        };
        Ok(object.publish_stored()?.unwrap_or(ShardDigest { size_bytes, md5 }))
    }
}

impl Write for ShardWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let accepted = self.object.write(bytes)?;
        let taken =
            bytes.get(..accepted).ok_or_else(|| io::Error::other("the destination accepted more than it was given"))?;
        match &mut self.md5 {
            Hashing::Passing(md5) => md5.update(taken),
            Hashing::Later(passed) => passed.write(taken),
            Hashing::Done(_) => return Err(io::Error::other("the data file is hashed already")),
        }
        self.size_bytes += accepted as u64;
        Ok(accepted)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.object.flush()
    }
}

impl fmt::Debug for ShardWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShardWriter").field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

/// What a destination gives back, counted and hashed as it passes.
struct GivenBack {
    written: Box<dyn Read + Send>,
    hash: XxHash3_128,
    bytes: u64,
}

impl Read for GivenBack {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.written.read(buffer)?;
        self.hash.write(&buffer[..length]);
        self.bytes += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::md5_hex;
    use std::sync::{Arc, Mutex};

    /// Gives back what it was given, but for what `spoil` does to it.
    #[derive(Clone)]
    struct Object {
        bytes: Arc<Mutex<Vec<u8>>>,
        spoil: fn(&mut Vec<u8>),
    }

    impl Write for Object {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let accepted = bytes.len().min(700);
            self.bytes.lock().unwrap().extend_from_slice(&bytes[..accepted]);
            Ok(accepted)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl PendingObject for Object {
        fn publish(self: Box<Self>) -> Result<(), DestinationError> {
            Ok(())
        }

        fn written(&self) -> io::Result<Option<Box<dyn Read + Send>>> {
            Ok(Some(Box::new(Back { object: self.clone(), at: 0 })))
        }
    }

    struct Back {
        object: Object,
        at: usize,
    }

    impl Read for Back {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let mut bytes = self.object.bytes.lock().unwrap().clone();
            (self.object.spoil)(&mut bytes);
            let length = (&bytes[self.at.min(bytes.len())..]).read(buffer)?;
            self.at += length;
            Ok(length)
        }
    }

    fn written(number: u8, spoil: fn(&mut Vec<u8>)) -> (ShardWriter, Vec<u8>) {
        let text: Vec<u8> = (0..3000_u32 * u32::from(number)).map(|at| at.to_le_bytes()[0] ^ number).collect();
        let object = Object { bytes: Arc::default(), spoil };
        let mut writer = ShardWriter::hashed_later(Box::new(object)).unwrap();
        assert!(writer.is_hashed_later());
        writer.write_all(&text).unwrap();
        (writer, text)
    }

    #[test]
    fn data_files_that_are_hashed_together_have_the_digests_of_each() {
        let (mut writers, texts): (Vec<_>, Vec<_>) = (0..10).map(|number| written(number, |_| {})).unzip();
        let outcomes = ShardWriter::digest_together(&mut writers.iter_mut().collect::<Vec<_>>(), Dispatch::Auto);
        assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
        for (writer, text) in writers.into_iter().zip(texts) {
            assert!(!writer.is_hashed_later());
            let digest = writer.publish().unwrap();
            assert_eq!(digest, ShardDigest { size_bytes: text.len() as u64, md5: md5_hex(&text) });
        }
        // Alone, without being told to.
        let (writer, text) = written(3, |_| {});
        assert_eq!(writer.publish().unwrap().md5, md5_hex(&text));
    }

    #[test]
    fn a_data_file_that_waits_has_no_reader() {
        let object = Object { bytes: Arc::default(), spoil: |_| {} };
        let bytes = Arc::clone(&object.bytes);
        let mut writer = ShardWriter::hashed_later(Box::new(object)).unwrap();
        writer.write_all(b"some").unwrap();
        assert_eq!(Arc::strong_count(&bytes), 2);
        ShardWriter::digest_together(&mut [&mut writer], Dispatch::Auto).pop().unwrap().unwrap();
        assert_eq!(Arc::strong_count(&bytes), 2);
    }

    #[test]
    fn a_destination_that_gives_back_something_else_is_found_out() {
        let spoils: [fn(&mut Vec<u8>); 3] =
            [|bytes| bytes[1500] ^= 1, |bytes| bytes.truncate(2999), |bytes| bytes.push(0)];
        for spoil in spoils {
            let (mut spoilt, _) = written(1, spoil);
            let (mut sound, text) = written(2, |_| {});
            let outcomes = ShardWriter::digest_together(&mut [&mut spoilt, &mut sound], Dispatch::Auto);
            assert!(outcomes[0].is_err() && outcomes[1].is_ok(), "{outcomes:?}");
            assert!(spoilt.publish().is_err());
            assert_eq!(sound.publish().unwrap().md5, md5_hex(&text));
        }
    }
}
