//! One object on its way: parts are sent while later ones are filled.

use super::{Shared, blocks::Blocks, fault, is_taken, object, session::Session};
use crate::{client::Service, error::CloudError};
use bytes::Bytes;
use std::{
    collections::VecDeque,
    fmt::Write as _,
    io::{self, Write},
    sync::Arc,
};
use stocktake_core::{DestinationError, DestinationErrorKind, Existing, ObjectAttributes, PendingObject, ReportKey};
use tokio::task::JoinHandle;

/// An object that is being uploaded; dropped, it is given up.
pub(super) struct CloudUpload {
    shared: Arc<Shared>,
    key: ReportKey,
    attributes: ObjectAttributes,
    mark: String,
    buffer: Vec<u8>,
    sent: Sent,
    /// CRC-32C of the bytes that were sent or are under way.
    crc: u32,
    under_way: VecDeque<JoinHandle<Result<(), CloudError>>>,
}

/// What the server has of it.
enum Sent {
    Nothing,
    Session(Session),
    Blocks(Blocks),
}

impl CloudUpload {
    pub(super) fn new(shared: Arc<Shared>, key: ReportKey, attributes: ObjectAttributes) -> Self {
        let mut random = [0; 16];
        // Without random numbers a lost answer is taken for a refusal, which fails the run; nothing worse.
        let _ = getrandom::fill(&mut random);
        let mark = random.iter().fold(String::new(), |mut mark, byte| {
            // Writing to a string does not fail.
            let _ = write!(mark, "{byte:02x}");
            mark
        });
        let under_way = VecDeque::new();
        Self { shared, key, attributes, mark, buffer: Vec::new(), sent: Sent::Nothing, crc: 0, under_way }
    }

    /// Sends the buffer as the next part, which is not the last.
    fn send_part(&mut self) -> Result<(), DestinationError> {
        while self.under_way.len() >= self.shared.at_once() {
            self.await_part()?;
        }
        let body = Bytes::from(std::mem::take(&mut self.buffer));
        self.crc = crc32c::crc32c_append(self.crc, &body);
        let client = Arc::clone(&self.shared.client);
        if let Sent::Nothing = self.sent {
            self.sent = match client.service() {
                Service::Google { .. } => {
                    let call = object("BeginUpload", hyper::Method::POST, &self.key);
                    let begun = Session::begin(&self.shared, call, &self.attributes, &self.mark);
                    Sent::Session(client.block_on(begun).map_err(|error| fault(&self.key, &error))?)
                }
                Service::Azure { .. } => Sent::Blocks(Blocks::new(&self.mark)),
            };
        }
        let task = match &mut self.sent {
            Sent::Session(session) => {
                let part = session.part(body);
                let sender = Arc::clone(&client);
                client.handle().spawn(async move { part.send(&sender).await.map(drop) })
            }
            Sent::Blocks(blocks) => {
                let call = blocks.part(&self.key, body).map_err(|text| self.unsupported(text))?;
                let sender = Arc::clone(&client);
                client.handle().spawn(async move { sender.send(&call).await.map(drop) })
            }
            Sent::Nothing => unreachable!("an upload was begun above"),
        };
        self.under_way.push_back(task);
        Ok(())
    }

    /// Waits for the part that was sent first.
    fn await_part(&mut self) -> Result<(), DestinationError> {
        let Some(part) = self.under_way.pop_front() else { return Ok(()) };
        let lost = |_| DestinationError::new(DestinationErrorKind::Io, &self.key, "the upload of a part was lost");
        let sent = self.shared.client.block_on(part).map_err(lost)?;
        sent.map_err(|error| fault(&self.key, &error))
    }

    /// Publishes what was sent with what is buffered behind it.
    fn finish(&mut self) -> Result<(), DestinationError> {
        let client = Arc::clone(&self.shared.client);
        if let Sent::Blocks(_) = self.sent
            && !self.buffer.is_empty()
        {
            self.send_part()?;
        }
        while !self.under_way.is_empty() {
            self.await_part()?;
        }
        let body = Bytes::from(std::mem::take(&mut self.buffer));
        let finished = match std::mem::replace(&mut self.sent, Sent::Nothing) {
            Sent::Nothing => {
                let call = self.shared.put_whole(&self.key, &self.attributes, &self.mark).with_checked_body(body);
                client.block_on(client.send(&call)).map(drop)
            }
            Sent::Session(mut session) => {
                self.crc = crc32c::crc32c_append(self.crc, &body);
                let part = session.last_part(body);
                match client.block_on(part.send(&client)) {
                    Ok(stored) if stored.is_none_or(|stored| stored == self.crc) => Ok(()),
                    Ok(_) => return Err(self.take_back("what the server has put together is not what was sent")),
                    Err(error) => {
                        if !is_taken(&error) {
                            client.block_on(session.cancel(&client));
                        }
                        Err(error)
                    }
                }
            }
            Sent::Blocks(blocks) => {
                let call = blocks.commit(&self.shared, &self.key, &self.attributes, &self.mark);
                client.block_on(client.send(&call)).map(drop)
            }
        };
        finished.or_else(|error| self.unless_published(&error))
    }

    /// A refusal of a later attempt may only say that an earlier one, whose answer was lost, had its effect. And where another
    /// writer was first, Azure may have dropped the blocks of this one, and says that before it looks at the condition.
    fn unless_published(&self, error: &CloudError) -> Result<(), DestinationError> {
        let client = &self.shared.client;
        let refused = matches!(error.status(), Some(400 | 404 | 409 | 410 | 412));
        if refused && error.attempts > 1 && client.block_on(self.shared.is_marked(&self.key, &self.mark)) {
            return Ok(());
        }
        let call = object("HeadObject", hyper::Method::HEAD, &self.key);
        let dropped = error.code() == "InvalidBlockList" && self.attributes.existing == Existing::Refuse;
        if is_taken(error) || dropped && client.block_on(client.send(&call)).is_ok() {
            return Err(DestinationError::new(DestinationErrorKind::AlreadyExists, &self.key, "exists already"));
        }
        Err(fault(&self.key, error))
    }

    /// Removes what became visible and must not be. The first error is the one to tell.
    fn take_back(&self, text: &str) -> DestinationError {
        let client = &self.shared.client;
        let removed = client.block_on(client.send(&super::delete(&self.key)));
        let more = removed.err().map(|error| format!("; it could not be removed: {error}")).unwrap_or_default();
        DestinationError::new(DestinationErrorKind::Io, &self.key, format!("{text}{more}"))
    }

    fn unsupported(&self, text: String) -> DestinationError {
        DestinationError::new(DestinationErrorKind::Unsupported, &self.key, text)
    }
}

impl Write for CloudUpload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == self.shared.part_bytes {
            // There is more, so this part is not the last.
            self.send_part().map_err(io::Error::other)?;
        }
        let room = self.shared.part_bytes - self.buffer.len();
        let taken = bytes.len().min(room);
        if self.buffer.len() + taken > self.buffer.capacity() {
            // Doubled at most, and never beyond a part.
            let capacity = (2 * self.buffer.len()).max(self.buffer.len() + taken).min(self.shared.part_bytes);
            self.buffer.reserve_exact(capacity - self.buffer.len());
        }
        self.buffer.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// What is buffered stays so: a part must not be short, and nothing is durable before publication.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl PendingObject for CloudUpload {
    fn publish(mut self: Box<Self>) -> Result<(), DestinationError> {
        self.finish()
    }
}

impl Drop for CloudUpload {
    fn drop(&mut self) {
        let client = &self.shared.client;
        for part in self.under_way.drain(..) {
            part.abort();
            // Whether it was cut off or not: it is not under way any more.
            let _ = client.block_on(part);
        }
        if let Sent::Session(session) = &self.sent {
            client.block_on(session.cancel(client));
        }
    }
}
