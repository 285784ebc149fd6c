//! Bounds of a walk, each with its reason. Tests make them tiny; users cannot set them.

/// Bounds of memory, open files and work under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Most bytes that the names of one directory take before they are spilled as a sorted run: some 150,000 names, more
    /// than nearly every directory has, so that spilling is rare.
    pub(super) names_bytes: usize,
    /// Most bytes that the names of all open directories take: the directory that is being read and as much for those
    /// above it.
    pub(super) names_total_bytes: usize,
    /// Most runs merged at once. With [`Limits::run_buffer_bytes`] a merge takes 512 KiB; at three levels of merging it
    /// serves 250,000 runs of names, two terabytes.
    pub(super) merge_runs: usize,
    /// Bytes read ahead of one run: a few hundred names at a time, a page or two of the file.
    pub(super) run_buffer_bytes: usize,
    /// Most files of a job: large enough to make a hand-over between threads negligible against the system calls.
    pub(super) job_names: usize,
    /// Most bytes of names in a job, whatever their length.
    pub(super) job_bytes: usize,
    /// Most directories that jobs under way hold open in all: a quarter of the customary limit of 1,024 file descriptors.
    pub(super) job_directories_total: usize,
    /// Jobs under way for each thread: one in work and one that waits.
    pub(super) jobs_per_thread: usize,
    /// Jobs under way for each thread when contents are hashed. A job is one file then, and the files behind a large one
    /// go on meanwhile.
    pub(super) hash_jobs_per_thread: usize,
    /// Bytes of a file that are read and then hashed at a time: some 200 microseconds of a compute slot.
    pub(super) piece_bytes: usize,
}

impl Limits {
    pub(super) const DEFAULT: Self = Self {
        names_bytes: 8 << 20,
        names_total_bytes: 16 << 20,
        merge_runs: 64,
        run_buffer_bytes: 8 << 10,
        job_names: 512,
        job_bytes: 64 << 10,
        job_directories_total: 256,
        jobs_per_thread: 2,
        hash_jobs_per_thread: 8,
        piece_bytes: 128 << 10,
    };
}

/// Bytes of directory entries asked for at a time: some 1,500 names a system call.
pub(super) const ENTRIES_BUFFER_BYTES: usize = 64 << 10;

/// Most threads that read metadata unless the user asks for more: beyond that disks and file servers gain little.
pub(super) const IO_THREADS_DEFAULT_MAX: usize = 16;

/// Most threads that read metadata, whatever the user asks for: with eight jobs each they hold no more directories open
/// than [`Limits::job_directories_total`].
pub(super) const IO_THREADS_MAX: usize = 32;
