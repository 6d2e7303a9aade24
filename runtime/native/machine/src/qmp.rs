//! The QEMU Machine Protocol over a Unix socket: [`Qmp`] is one connection.
//!
//! Source of the protocol: QEMU's `docs/interop/qmp-spec`. One reader task owns the receiving half:
//! answers go to the command with the same id, events to a broadcast. Invariant: a line is at most
//! [`LINE`] bytes, every command has a deadline, and when the connection ends every waiting command
//! fails with [`QmpError::Closed`]. A command whose caller went away does no harm to the next one.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{OnceCell, broadcast, mpsc, oneshot};

/// The schema, the longest answer there is, has some 250 KB.
const LINE: usize = 8 * 1024 * 1024;
/// How long any command may take.
const ANSWER: Duration = Duration::from_secs(60);

/// Why a command failed.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum QmpError {
    /// QEMU ended or closed the connection.
    #[error("the machine's control connection is closed")]
    Closed,
    /// No answer in time.
    #[error("the machine did not answer `{0}` within {ANSWER:?}")]
    Timeout(String),
    /// QEMU refused.
    #[error("the machine refused `{command}`: {message}")]
    Refused {
        /// The command.
        command: String,
        /// QEMU's error class.
        class: String,
        /// QEMU's words.
        message: String,
    },
    /// What came is not QMP.
    #[error("the control socket does not speak QMP: {0}")]
    Protocol(String),
}

/// An event that QEMU sent, as `{"event": name, "data": …, "timestamp": …}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Such as `SHUTDOWN`.
    pub name: String,
    /// Its data; null if none.
    pub data: Value,
}

type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Result<Value, Value>>>>>>;

/// A connection in command mode.
#[derive(Debug)]
pub struct Qmp {
    requests: mpsc::Sender<Vec<u8>>,
    waiting: Waiting,
    /// Weak, so that receivers see the end when the reader ends.
    events: broadcast::WeakSender<Event>,
    next: AtomicU64,
    schema: OnceCell<Schema>,
}

impl Qmp {
    /// Connects to a QEMU that listens on `socket`.
    ///
    /// # Errors
    /// [`QmpError`].
    pub async fn connect(socket: &Path) -> Result<Self, QmpError> {
        let stream = UnixStream::connect(socket).await.map_err(|_| QmpError::Closed)?;
        Self::negotiate(stream).await.map(|(qmp, _)| qmp)
    }

    /// Reads the greeting and leaves capabilities negotiation. The receiver has every event there was.
    pub(crate) async fn negotiate(
        stream: UnixStream,
    ) -> Result<(Self, broadcast::Receiver<Event>), QmpError> {
        let (read, write) = stream.into_split();
        let mut read = BufReader::with_capacity(64 * 1024, read);
        let greeting = tokio::time::timeout(ANSWER, line(&mut read))
            .await
            .map_err(|_| QmpError::Timeout("connect".into()))??;
        if greeting.get("QMP").is_none() {
            return Err(QmpError::Protocol("no greeting".into()));
        }
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let (events, first) = broadcast::channel(256);
        let (requests, queue) = mpsc::channel(32);
        tokio::spawn(send(write, queue));
        tokio::spawn(receive(read, Arc::clone(&waiting), events.clone()));
        let events = events.downgrade();
        let qmp = Self { requests, waiting, events, next: AtomicU64::new(1), schema: OnceCell::new() };
        qmp.execute("qmp_capabilities", Value::Null).await?;
        Ok((qmp, first))
    }

    /// Events from now on. The receiver reports how many it missed if it does not keep up (256).
    ///
    /// # Errors
    /// [`QmpError::Closed`].
    pub fn events(&self) -> Result<broadcast::Receiver<Event>, QmpError> {
        self.events.upgrade().map(|events| events.subscribe()).ok_or(QmpError::Closed)
    }

    /// Runs a command; `arguments` is an object or null. Gives the `return` value.
    ///
    /// # Errors
    /// [`QmpError`].
    pub async fn execute(&self, command: &str, arguments: Value) -> Result<Value, QmpError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let mut request = json!({ "execute": command, "id": id });
        if let (Some(object), false) = (request.as_object_mut(), arguments.is_null()) {
            object.insert("arguments".into(), arguments);
        }
        let mut bytes = request.to_string().into_bytes();
        bytes.push(b'\n');
        let (reply, answer) = oneshot::channel();
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
            .ok_or(QmpError::Closed)?
            .insert(id, reply);
        let exchange = async {
            self.requests.send(bytes).await.map_err(|_| QmpError::Closed)?;
            answer.await.map_err(|_| QmpError::Closed)
        };
        match tokio::time::timeout(ANSWER, exchange).await {
            Ok(Ok(Ok(value))) => Ok(value),
            Ok(Ok(Err(error))) => Err(QmpError::Refused {
                command: command.to_owned(),
                class: text(&error, "class"),
                message: text(&error, "desc"),
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(QmpError::Timeout(command.to_owned())),
        }
    }

    /// What the running QEMU can do, asked once (`query-qmp-schema`).
    ///
    /// # Errors
    /// [`QmpError`].
    pub async fn schema(&self) -> Result<&Schema, QmpError> {
        self.schema
            .get_or_try_init(|| async {
                let answer = self.execute("query-qmp-schema", Value::Null).await?;
                Ok(Schema::from_answer(&answer))
            })
            .await
    }
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

async fn line(read: &mut BufReader<OwnedReadHalf>) -> Result<Value, QmpError> {
    let mut line = Vec::new();
    let limit = u64::try_from(LINE).unwrap_or(u64::MAX);
    let count = read.take(limit).read_until(b'\n', &mut line).await.map_err(|_| QmpError::Closed)?;
    if count == 0 {
        return Err(QmpError::Closed);
    }
    serde_json::from_slice(&line).map_err(|error| QmpError::Protocol(error.to_string()))
}

/// Writes whole requests, so that a caller that is cancelled in the middle leaves no half line.
async fn send(mut write: OwnedWriteHalf, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(request) = queue.recv().await {
        if write.write_all(&request).await.is_err() {
            return;
        }
    }
}

async fn receive(mut read: BufReader<OwnedReadHalf>, waiting: Waiting, events: broadcast::Sender<Event>) {
    while let Ok(mut message) = line(&mut read).await {
        if let Some(id) = message.get("id").and_then(Value::as_u64) {
            let caller = waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .as_mut()
                .and_then(|waiting| waiting.remove(&id));
            let answer = match message.get_mut("error") {
                Some(error) => Err(error.take()),
                None => Ok(message.get_mut("return").map(Value::take).unwrap_or_default()),
            };
            if let Some(caller) = caller {
                let _ = caller.send(answer);
            }
        } else if let Some(name) = message.get("event").and_then(Value::as_str) {
            let data = message.get("data").cloned().unwrap_or_default();
            let _ = events.send(Event { name: name.to_owned(), data });
        }
    }
    // Dropping the senders wakes all that wait; None refuses those that come later.
    waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
}

/// The commands of a QEMU and the names of their arguments.
#[derive(Debug, Clone, Default)]
pub struct Schema {
    commands: HashMap<String, Vec<String>>,
}

impl Schema {
    fn from_answer(answer: &Value) -> Self {
        let entries = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        let members = |entry: &Value| -> Vec<String> {
            entry
                .get("members")
                .and_then(Value::as_array)
                .map(|members| members.iter().map(|member| text(member, "name")).collect())
                .unwrap_or_default()
        };
        let types: HashMap<String, Vec<String>> = entries
            .iter()
            .filter(|entry| text(entry, "meta-type") == "object")
            .map(|entry| (text(entry, "name"), members(entry)))
            .collect();
        let commands = entries
            .iter()
            .filter(|entry| text(entry, "meta-type") == "command")
            .map(|entry| {
                let arguments = types.get(&text(entry, "arg-type")).cloned().unwrap_or_default();
                (text(entry, "name"), arguments)
            })
            .collect();
        Self { commands }
    }

    /// Whether the command exists.
    pub fn has_command(&self, command: &str) -> bool {
        self.commands.contains_key(command)
    }

    /// Whether the command takes this argument.
    pub fn has_argument(&self, command: &str, argument: &str) -> bool {
        self.commands.get(command).is_some_and(|names| names.iter().any(|name| name == argument))
    }
}
