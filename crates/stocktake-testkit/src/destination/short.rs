//! A destination that accepts fewer bytes than it is given, as `io::Write` allows.

use super::Random;
use std::io::{self, Write};
use stocktake_core::{Destination, DestinationError, ObjectAttributes, PendingObject, ReportKey, ReportStore};

/// How much of a write is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteLengths {
    /// One byte.
    One,
    /// One byte to all of them; every fourth write or so is interrupted and accepts none.
    Random {
        /// Seed of the lengths; each object begins with it anew.
        seed: u64,
    },
}

/// Hands everything on to another destination, writes in small pieces.
#[derive(Debug)]
pub struct ShortWriteDestination<D> {
    inner: D,
    lengths: WriteLengths,
}

impl<D> ShortWriteDestination<D> {
    /// A destination that accepts as much of a write as `lengths` says.
    pub fn new(inner: D, lengths: WriteLengths) -> Self {
        Self { inner, lengths }
    }

    /// The destination behind it.
    pub fn inner(&self) -> &D {
        &self.inner
    }
}

impl<D: Destination> Destination for ShortWriteDestination<D> {
    fn create(
        &self,
        key: &ReportKey,
        attributes: &ObjectAttributes,
    ) -> Result<Box<dyn PendingObject>, DestinationError> {
        let object = self.inner.create(key, attributes)?;
        let random = match self.lengths {
            WriteLengths::One => None,
            WriteLengths::Random { seed } => Some(Random::new(seed)),
        };
        Ok(Box::new(Pending { object, random }))
    }

    fn remove(&self, key: &ReportKey) -> Result<(), DestinationError> {
        self.inner.remove(key)
    }

    hands_on!();
}

struct Pending {
    object: Box<dyn PendingObject>,
    random: Option<Random>,
}

impl Write for Pending {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = match &mut self.random {
            _ if bytes.is_empty() => 0,
            None => 1,
            Some(random) => {
                if random.below(4) == 0 {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                usize::try_from(random.below(bytes.len() as u64)).map_or(bytes.len(), |below| below + 1)
            }
        };
        self.object.write(&bytes[..length])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.object.flush()
    }
}

impl PendingObject for Pending {
    fn publish(self: Box<Self>) -> Result<(), DestinationError> {
        self.object.publish()
    }
}
