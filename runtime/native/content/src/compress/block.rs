//! Compresses independent blocks on several threads and writes them in order.
//!
//! ```text
//!  write() ─▶ block ─┬─▶ jobs ─▶ worker 1..n ─▶ packed ─┐
//!                    └─▶ order (a receiver each) ───────┴─▶ writer thread ─▶ output
//! ```
//!
//! Both queues are bounded, so memory is a few blocks per thread whatever the input's size. Gzip blocks are one deflate
//! stream: each begins with the last 32 KiB of its predecessor as dictionary and ends on a byte boundary (sync flush),
//! as RFC 1951 allows. Invariant: a failure of any thread surfaces in `write` or `finish`; none is lost.

use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bzip2::write::BzEncoder;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// The window of deflate.
const WINDOW: usize = 32 * 1024;
/// Input per BGZF member, so that even incompressible data fits the format's 64 KiB with its headers.
const BGZF_INPUT: usize = 0xff00;
/// The empty member that ends a BGZF file (SAM specification, section 4.1.2).
const BGZF_END: [u8; 28] =
    [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The formats that are made of independent blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockFormat {
    Gzip { level: u32 },
    Bgzf { level: u32 },
    Bzip2 { level: u32 },
}

impl BlockFormat {
    fn block_size(self) -> usize {
        match self {
            Self::Gzip { .. } => 256 * 1024,
            Self::Bgzf { .. } => 16 * BGZF_INPUT,
            // What one bzip2 block takes in, so that a stream per block costs no ratio.
            Self::Bzip2 { level } => level as usize * 100_000 - 20,
        }
    }
}

struct Block {
    data: Vec<u8>,
    dictionary: Vec<u8>,
    last: bool,
}

struct Packed {
    bytes: Vec<u8>,
    crc: Crc,
}

type Answer = io::Result<Packed>;
type Job = (Block, SyncSender<Answer>);

/// Writes blocks compressed in parallel.
pub(crate) struct BlockWriter<W> {
    format: BlockFormat,
    buffer: Vec<u8>,
    dictionary: Vec<u8>,
    jobs: Option<SyncSender<Job>>,
    order: Option<SyncSender<Receiver<Answer>>>,
    workers: Vec<JoinHandle<()>>,
    writer: Option<JoinHandle<io::Result<W>>>,
    dispatched: bool,
}

impl<W: Write + Send + 'static> BlockWriter<W> {
    pub(crate) fn new(format: BlockFormat, output: W, threads: usize) -> Self {
        let (jobs, queue) = sync_channel::<Job>(threads);
        let (order, answers) = sync_channel(threads * 2);
        let queue = Arc::new(Mutex::new(queue));
        let workers = (0..threads)
            .map(|_| {
                let queue = queue.clone();
                std::thread::spawn(move || work(format, &queue))
            })
            .collect();
        let writer = std::thread::spawn(move || write_in_order(format, output, &answers));
        Self {
            format,
            buffer: Vec::with_capacity(format.block_size()),
            dictionary: Vec::new(),
            jobs: Some(jobs),
            order: Some(order),
            workers,
            writer: Some(writer),
            dispatched: false,
        }
    }

    fn dispatch(&mut self, last: bool) -> io::Result<()> {
        let data = std::mem::replace(&mut self.buffer, Vec::with_capacity(self.format.block_size()));
        let tail = data.get(data.len().saturating_sub(WINDOW)..).unwrap_or_default().to_vec();
        let dictionary = match self.format {
            BlockFormat::Gzip { .. } => std::mem::replace(&mut self.dictionary, tail),
            BlockFormat::Bgzf { .. } | BlockFormat::Bzip2 { .. } => Vec::new(),
        };
        self.dispatched = true;
        let (answer, packed) = sync_channel(1);
        let sent = self.order.as_ref().is_some_and(|order| order.send(packed).is_ok())
            && self
                .jobs
                .as_ref()
                .is_some_and(|jobs| jobs.send((Block { data, dictionary, last }, answer)).is_ok());
        if sent { Ok(()) } else { self.join().and(Err(gone())) }
    }

    /// Writes what is left and the trailer, and gives the output back.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        let nothing_left = self.buffer.is_empty() && self.dispatched;
        if matches!(self.format, BlockFormat::Gzip { .. }) || !nothing_left {
            self.dispatch(true)?;
        }
        self.join()
    }

    fn join(&mut self) -> io::Result<W> {
        (self.jobs, self.order) = (None, None);
        for worker in self.workers.drain(..) {
            worker.join().map_err(|_| gone())?;
        }
        self.writer.take().ok_or_else(gone)?.join().map_err(|_| gone())?
    }
}

impl<W: Write + Send + 'static> Write for BlockWriter<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let room = self.format.block_size() - self.buffer.len();
        let taken = data.get(..room.min(data.len())).unwrap_or_default();
        self.buffer.extend_from_slice(taken);
        if self.buffer.len() == self.format.block_size() {
            self.dispatch(false)?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer given up half-way still waits for its threads: nobody writes to the output afterwards.
impl<W> Drop for BlockWriter<W> {
    fn drop(&mut self) {
        (self.jobs, self.order) = (None, None);
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("a compression thread stopped")
}

fn work(format: BlockFormat, queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((block, answer)) = job else { return };
        // Nobody waits for the answer once the writer has failed.
        let _ = answer.send(pack(format, &block));
    }
}

fn pack(format: BlockFormat, block: &Block) -> Answer {
    let mut crc = Crc::new();
    let bytes = match format {
        BlockFormat::Gzip { level } => {
            crc.update(&block.data);
            let flush = if block.last { FlushCompress::Finish } else { FlushCompress::Sync };
            deflate_block(level, &block.data, &block.dictionary, flush)?
        }
        BlockFormat::Bgzf { level } => {
            let mut out = Vec::with_capacity(block.data.len() / 2);
            for piece in block.data.chunks(BGZF_INPUT) {
                bgzf_member(level, piece, &mut out)?;
            }
            out
        }
        BlockFormat::Bzip2 { level } => {
            let mut encoder =
                BzEncoder::new(Vec::with_capacity(block.data.len() / 2), bzip2::Compression::new(level));
            encoder.write_all(&block.data)?;
            encoder.finish()?
        }
    };
    Ok(Packed { bytes, crc })
}

fn deflate_block(level: u32, data: &[u8], dictionary: &[u8], flush: FlushCompress) -> io::Result<Vec<u8>> {
    // A fresh state each time: a reset one keeps traces of its past that change the output by a byte or two.
    let mut deflate = Compress::new(Compression::new(level), false);
    if !dictionary.is_empty() {
        deflate.set_dictionary(dictionary).map_err(io::Error::other)?;
    }
    let mut out = Vec::with_capacity(data.len() / 2 + 1024);
    loop {
        let rest =
            usize::try_from(deflate.total_in()).ok().and_then(|done| data.get(done..)).unwrap_or_default();
        let status = deflate.compress_vec(rest, &mut out, flush).map_err(io::Error::other)?;
        // A flush is complete once it leaves room in the output.
        let flushed = deflate.total_in() == data.len() as u64 && out.len() < out.capacity();
        match flush {
            FlushCompress::Finish if status == Status::StreamEnd => return Ok(out),
            FlushCompress::Sync if flushed => return Ok(out),
            _ => out.reserve(64 * 1024),
        }
    }
}

fn bgzf_member(level: u32, piece: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let body = deflate_block(level, piece, &[], FlushCompress::Finish)?;
    let mut crc = Crc::new();
    crc.update(piece);
    // 18 bytes of header and 8 of trailer; the field holds the member's size less one.
    let size = u16::try_from(body.len() + 25).map_err(io::Error::other)?;
    let header = BGZF_END.get(..16).unwrap_or_default();
    out.extend_from_slice(header);
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&body);
    out.extend_from_slice(&crc.sum().to_le_bytes());
    out.extend_from_slice(&crc.amount().to_le_bytes());
    Ok(())
}

fn write_in_order<W: Write>(
    format: BlockFormat,
    mut output: W,
    answers: &Receiver<Receiver<Answer>>,
) -> io::Result<W> {
    if matches!(format, BlockFormat::Gzip { .. }) {
        // RFC 1952: deflate, no flags, no time, unknown system.
        output.write_all(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])?;
    }
    let mut crc = Crc::new();
    for answer in answers {
        let packed = answer.recv().map_err(|_| gone())??;
        output.write_all(&packed.bytes)?;
        crc.combine(&packed.crc);
    }
    match format {
        BlockFormat::Gzip { .. } => {
            output.write_all(&crc.sum().to_le_bytes())?;
            output.write_all(&crc.amount().to_le_bytes())?;
        }
        BlockFormat::Bgzf { .. } => output.write_all(&BGZF_END)?,
        BlockFormat::Bzip2 { .. } => {}
    }
    output.flush()?;
    Ok(output)
}
