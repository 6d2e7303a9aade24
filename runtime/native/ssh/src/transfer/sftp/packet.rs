//! SFTP packets: requests that we build, answers that we take apart. Version 3.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::error::{Error, Result, printable};

pub(super) const VERSION: u8 = 2;

const INIT: u8 = 1;
const OPEN: u8 = 3;
const CLOSE: u8 = 4;
const READ: u8 = 5;
const WRITE: u8 = 6;
const FSTAT: u8 = 8;
const FSETSTAT: u8 = 10;
const OPENDIR: u8 = 11;
const READDIR: u8 = 12;
const SETSTAT: u8 = 9;
const MKDIR: u8 = 14;
const STAT: u8 = 17;
const EXTENDED: u8 = 200;

const ATTR_SIZE: u32 = 1;
const ATTR_OWNER: u32 = 2;
const ATTR_PERMISSIONS: u32 = 4;
const ATTR_TIMES: u32 = 8;
const ATTR_EXTENDED: u32 = 0x8000_0000;

const OPEN_READ: u32 = 1;
/// Write, create, truncate.
const OPEN_REPLACE: u32 = 2 | 8 | 16;

/// Most names in one answer; servers send about a hundred.
const NAMES: u32 = 10_000;

pub(super) fn init() -> Bytes {
    let mut packet = BytesMut::with_capacity(9);
    packet.put_u32(5);
    packet.put_u8(INIT);
    packet.put_u32(3);
    packet.freeze()
}

/// A request without its number.
pub(in crate::transfer) struct Request {
    kind: u8,
    fields: BytesMut,
}

impl Request {
    fn new(kind: u8, first: &[u8]) -> Self {
        let mut fields = BytesMut::with_capacity(first.len() + 32);
        put_string(&mut fields, first);
        Self { kind, fields }
    }

    fn with_mode(mut self, mode: u32) -> Self {
        self.fields.put_u32(ATTR_PERMISSIONS);
        self.fields.put_u32(mode & 0o7777);
        self
    }

    pub(super) fn open_read(path: &str) -> Self {
        let mut request = Self::new(OPEN, path.as_bytes());
        request.fields.put_u32(OPEN_READ);
        request.fields.put_u32(0);
        request
    }

    /// Creates or truncates; the mode is for a new file and subject to the server's umask.
    pub(super) fn open_replace(path: &str, mode: u32) -> Self {
        let mut request = Self::new(OPEN, path.as_bytes());
        request.fields.put_u32(OPEN_REPLACE);
        request.with_mode(mode)
    }

    pub(super) fn close(handle: &Bytes) -> Self {
        Self::new(CLOSE, handle)
    }

    pub(super) fn read(handle: &Bytes, offset: u64, length: usize) -> Self {
        let mut request = Self::new(READ, handle);
        request.fields.put_u64(offset);
        request.fields.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        request
    }

    /// The content follows the packet.
    pub(super) fn write(handle: &Bytes, offset: u64, length: usize) -> Self {
        let mut request = Self::new(WRITE, handle);
        request.fields.put_u64(offset);
        request.fields.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        request
    }

    pub(super) fn fstat(handle: &Bytes) -> Self {
        Self::new(FSTAT, handle)
    }

    pub(super) fn fsetstat(handle: &Bytes, mode: u32) -> Self {
        Self::new(FSETSTAT, handle).with_mode(mode)
    }

    pub(super) fn setstat(path: &str, mode: u32) -> Self {
        Self::new(SETSTAT, path.as_bytes()).with_mode(mode)
    }

    pub(super) fn mkdir(path: &str, mode: u32) -> Self {
        Self::new(MKDIR, path.as_bytes()).with_mode(mode)
    }

    pub(super) fn stat(path: &str) -> Self {
        Self::new(STAT, path.as_bytes())
    }

    pub(super) fn opendir(path: &str) -> Self {
        Self::new(OPENDIR, path.as_bytes())
    }

    pub(super) fn readdir(handle: &Bytes) -> Self {
        Self::new(READDIR, handle)
    }

    pub(super) fn extended(name: &str) -> Self {
        Self::new(EXTENDED, name.as_bytes())
    }

    pub(super) fn encode(self, id: u32, content: usize) -> Bytes {
        let length = 5 + self.fields.len() + content;
        let mut packet = BytesMut::with_capacity(9 + self.fields.len());
        packet.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        packet.put_u8(self.kind);
        packet.put_u32(id);
        packet.put_slice(&self.fields);
        packet.freeze()
    }
}

fn put_string(to: &mut BytesMut, text: &[u8]) {
    to.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
    to.put_slice(text);
}

/// A server's word on how a request went.
pub(in crate::transfer) struct Status {
    pub(super) code: u32,
    pub(super) message: String,
}

impl Status {
    pub(super) fn is_ok(&self) -> bool {
        self.code == 0
    }

    pub(super) fn is_end(&self) -> bool {
        self.code == 1
    }
}

/// What is known of a remote file.
#[derive(Clone, Copy, Default)]
pub(in crate::transfer) struct Attributes {
    pub(super) mode: Option<u32>,
}

impl Attributes {
    pub(super) fn is_directory(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o170_000 == 0o040_000)
    }

    pub(super) fn is_file(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o170_000 == 0o100_000)
    }
}

/// A server's answer.
pub(in crate::transfer) enum Reply {
    Status(Status),
    Handle(Bytes),
    Data(Bytes),
    Names(Vec<(Bytes, Attributes)>),
    Attributes(Attributes),
    Extended(Fields),
}

/// Takes an answer apart.
pub(super) fn reply(mut fields: Fields) -> Result<(u32, Reply)> {
    let kind = fields.u8()?;
    let id = fields.u32()?;
    let reply = match kind {
        101 => {
            let code = fields.u32()?;
            // Old servers leave the message out.
            let message = if fields.is_empty() { Bytes::new() } else { fields.string()? };
            Reply::Status(Status { code, message: printable(&message, 300) })
        }
        102 => Reply::Handle(fields.string().and_then(|handle| match handle.len() {
            0..=256 => Ok(handle),
            _ => Err(Error::protocol("SFTP", "a handle of more than 256 bytes")),
        })?),
        103 => Reply::Data(fields.string()?),
        104 => {
            let count = fields.u32()?;
            if count > NAMES {
                return Err(Error::protocol("SFTP", "too many names in one answer"));
            }
            let mut names = Vec::new();
            for _ in 0..count {
                let (name, _long) = (fields.string()?, fields.string()?);
                names.push((name, fields.attributes()?));
            }
            Reply::Names(names)
        }
        105 => Reply::Attributes(fields.attributes()?),
        201 => Reply::Extended(fields),
        kind => return Err(Error::protocol("SFTP", format!("an answer of unknown type {kind}"))),
    };
    Ok((id, reply))
}

/// The fields of a packet, taken from the front.
pub(in crate::transfer) struct Fields(pub(super) Bytes);

impl Fields {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn need(&self, bytes: usize) -> Result<()> {
        if self.0.len() < bytes { Err(Error::protocol("SFTP", "a packet that ends early")) } else { Ok(()) }
    }

    pub(super) fn u8(&mut self) -> Result<u8> {
        self.need(1)?;
        Ok(self.0.get_u8())
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        self.need(4)?;
        Ok(self.0.get_u32())
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        self.need(8)?;
        Ok(self.0.get_u64())
    }

    pub(super) fn string(&mut self) -> Result<Bytes> {
        let length = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        self.need(length)?;
        Ok(self.0.split_to(length))
    }

    fn attributes(&mut self) -> Result<Attributes> {
        let flags = self.u32()?;
        let mut attributes = Attributes::default();
        if flags & ATTR_SIZE != 0 {
            self.u64()?;
        }
        if flags & ATTR_OWNER != 0 {
            self.u64()?;
        }
        if flags & ATTR_PERMISSIONS != 0 {
            attributes.mode = Some(self.u32()?);
        }
        if flags & ATTR_TIMES != 0 {
            self.u64()?;
        }
        if flags & ATTR_EXTENDED != 0 {
            for _ in 0..self.u32()? {
                self.string()?;
                self.string()?;
            }
        }
        Ok(attributes)
    }
}
