//! A run of names that the walk hands to a thread, and what the thread found out about them.

use super::fault::{Fault, Problem};
use std::{os::fd::OwnedFd, sync::Arc};

/// An open directory, with the path of it that its keys begin with.
#[derive(Debug)]
pub(super) struct Directory {
    /// The directory, for calls relative to it.
    pub(super) handle: OwnedFd,
    /// Path below the source's root with a `/` behind it; empty for the root.
    pub(super) prefix: Box<str>,
}

/// Names of files in key order, from one or several directories, and faults that the walk met between them.
///
/// It travels to a thread and back, and then serves again.
#[derive(Debug, Default)]
pub(super) struct Job {
    text: String,
    names: Vec<Name>,
    parts: Vec<Part>,
    faults: Vec<(usize, Fault)>,
    fault_bytes: usize,
    findings: Vec<Finding>,
}

#[derive(Debug)]
struct Name {
    end: usize,
    unchecked: bool,
}

#[derive(Debug)]
struct Part {
    directory: Arc<Directory>,
    end: usize,
}

/// What was found out about a file.
pub(super) type Finding = Result<Facts, Box<Problem>>;

/// Metadata of a file; what was not asked for is zero or absent.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// Size.
    pub(super) size_bytes: u64,
    /// Time of the last modification, since 1970-01-01 UTC.
    pub(super) modified_ms: i64,
    /// MD5 of the content in lower-case hex.
    pub(super) e_tag: Option<Box<str>>,
}

/// When a job is full.
#[derive(Clone, Copy, Debug)]
pub(super) struct JobBounds {
    /// Files and faults.
    pub(super) names: usize,
    /// Bytes of their names.
    pub(super) bytes: usize,
    /// Directories.
    pub(super) directories: usize,
}

/// One file of a job.
#[derive(Clone, Copy, Debug)]
pub(super) struct File<'a> {
    /// The directory that it is in.
    pub(super) directory: &'a Directory,
    /// Its name there.
    pub(super) name: &'a str,
    /// Whether it is not yet known to be a regular file.
    pub(super) unchecked: bool,
}

/// What stands next in a job.
pub(super) enum Item<'a> {
    /// A file, and what is known of it.
    File(File<'a>, Facts),
    /// An entry that cannot be an object.
    Fault(Fault),
}

impl Job {
    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.faults.is_empty()
    }

    /// Whether it has reached a bound: files, bytes of names, directories.
    pub(super) fn is_full(&self, bounds: &JobBounds) -> bool {
        self.names.len() + self.faults.len() >= bounds.names
            || self.text.len() + self.fault_bytes >= bounds.bytes
            || self.parts.len() >= bounds.directories
    }

    /// Whether every file has its finding.
    pub(super) fn is_complete(&self) -> bool {
        self.findings.len() == self.names.len()
    }

    /// Adds a file.
    pub(super) fn push(&mut self, directory: &Arc<Directory>, name: &str, unchecked: bool) {
        self.text.push_str(name);
        self.names.push(Name { end: self.text.len(), unchecked });
        let end = self.names.len();
        match self.parts.last_mut() {
            Some(part) if Arc::ptr_eq(&part.directory, directory) => part.end = end,
            _ => self.parts.push(Part { directory: Arc::clone(directory), end }),
        }
    }

    /// Adds a fault behind the files so far.
    pub(super) fn push_fault(&mut self, fault: Fault) {
        self.fault_bytes += fault.name_bytes();
        self.faults.push((self.names.len(), fault));
    }

    /// Finds out about every file, in order, until `find` gives up.
    pub(super) fn inspect(&mut self, mut find: impl FnMut(File<'_>) -> Option<Finding>) {
        self.findings.clear();
        self.findings.extend(files(&self.text, &self.names, &self.parts).map_while(&mut find));
    }

    /// Takes files and faults out, in order, until `each` refuses one.
    pub(super) fn drain<E>(&mut self, mut each: impl FnMut(Item<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut faults = self.faults.drain(..).peekable();
        let files = files(&self.text, &self.names, &self.parts);
        for (index, (file, finding)) in files.zip(self.findings.drain(..)).enumerate() {
            while let Some((_, fault)) = faults.next_if(|(before, _)| *before <= index) {
                each(Item::Fault(fault))?;
            }
            each(match finding {
                Ok(facts) => Item::File(file, facts),
                Err(problem) => Item::Fault(problem.of(&file.directory.prefix, file.name.as_bytes())),
            })?;
        }
        faults.try_for_each(|(_, fault)| each(Item::Fault(fault)))?;
        self.text.clear();
        self.names.clear();
        self.parts.clear();
        self.fault_bytes = 0;
        Ok(())
    }
}

fn files<'a>(text: &'a str, names: &'a [Name], parts: &'a [Part]) -> impl Iterator<Item = File<'a>> {
    let mut parts = parts.iter().peekable();
    let mut start = 0;
    names.iter().enumerate().map_while(move |(index, name)| {
        while parts.next_if(|part| part.end <= index).is_some() {}
        let directory = &parts.peek()?.directory;
        let file = File { directory, name: &text[start..name.end], unchecked: name.unchecked };
        start = name.end;
        Some(file)
    })
}
