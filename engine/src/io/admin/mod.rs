//! A socket in the data folder, through which other commands ask the process that has the store (state-and-time.md,
//! "Ports"): one line of JSON there, one line of JSON and a text back. Who may open the folder's socket may ask.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a socket, and how long somebody may take with it"
)]

use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Name of the socket in the data folder.
pub const NAME: &str = "admin.sock";
/// Only the owner may ask.
const MODE: u32 = 0o600;
/// Connections at once; another one is told so.
const CONNECTIONS: usize = 4;
/// Bytes of a request.
const REQUEST_BYTES: usize = 64 << 10;
/// How long a request, or a pause in reading the answer, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection that was just made waits for the thread that accepts.
const BREATH: Duration = Duration::from_millis(50);

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Name of the command.
    pub command: String,
    /// What it is given.
    #[serde(default)]
    pub args: serde_json::Value,
}

/// What is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Exit code of the command that asked.
    pub exit: u8,
    /// For standard output.
    pub text: String,
    /// For standard error; empty if nothing went wrong.
    pub error: String,
}

/// First line of an answer; the text follows.
#[derive(Serialize, Deserialize)]
struct Head {
    exit: u8,
    bytes: usize,
    error: String,
}

/// Answers requests.
pub type Answers = dyn Fn(&Request) -> Answer + Send + Sync;

/// A socket that is listened on. Dropping it removes the file.
#[derive(Debug)]
pub struct AdminSocket {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl AdminSocket {
    /// Listens in `data`. What an earlier process left there is replaced: whoever calls this has the store.
    ///
    /// # Errors
    /// When the system gives no socket or no thread.
    pub fn start(data: &Path, answers: Arc<Answers>) -> io::Result<Self> {
        let path = data.join(NAME);
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.file_type().is_socket()) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is no socket"));
        }
        // Under another name first: nobody meets it before its mode is set.
        let fresh = data.join(format!("{NAME}.new"));
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&fresh)?;
        fs::set_permissions(&fresh, fs::Permissions::from_mode(MODE))?;
        fs::rename(&fresh, &path)?;
        listener.set_nonblocking(true)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("admin".to_owned())
            .spawn(move || listen(&listener, &answers, &stopped))?;
        Ok(Self {
            path,
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // A file that is left is replaced at the next start.
        let _ = fs::remove_file(&self.path);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the admin socket ended in a fault");
        }
    }
}

fn listen(listener: &UnixListener, answers: &Arc<Answers>, stop: &AtomicBool) {
    let open = Arc::new(AtomicUsize::new(0));
    while !stop.load(Ordering::Relaxed) {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => {
                if error.kind() != io::ErrorKind::WouldBlock {
                    tracing::debug!("a connection to the admin socket failed: {error}");
                }
                thread::sleep(BREATH);
                continue;
            }
        };
        if open.load(Ordering::Relaxed) >= CONNECTIONS {
            let busy = refused(&format!("{CONNECTIONS} others are asking; try again"));
            let _ = say(&stream, &busy);
            continue;
        }
        open.fetch_add(1, Ordering::Relaxed);
        let (answers, place) = (Arc::clone(answers), Place(Arc::clone(&open)));
        let started = thread::Builder::new()
            .name("admin answer".to_owned())
            .spawn(move || {
                let _place = place;
                if let Err(error) = serve(&stream, &*answers) {
                    tracing::debug!("a connection to the admin socket ended: {error}");
                }
            });
        if let Err(error) = started {
            tracing::warn!("the admin socket has no thread for an answer: {error}");
        }
    }
}

/// Gives its place back in any case.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn refused(why: &str) -> Answer {
    Answer {
        exit: 5,
        text: String::new(),
        error: format!("error: {why}\n"),
    }
}

fn serve(stream: &UnixStream, answers: &Answers) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    let answer = match read_request(stream)? {
        Ok(request) => answers(&request),
        Err(why) => refused(why),
    };
    say(stream, &answer)
}

/// Up to the line feed, or why not.
fn read_request(mut stream: &UnixStream) -> io::Result<Result<Request, &'static str>> {
    let until = Instant::now() + PATIENCE;
    let mut line = Vec::new();
    let mut part = [0; 4_096];
    while !line.contains(&b'\n') {
        if line.len() > REQUEST_BYTES {
            return Ok(Err("the request is too long"));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Err("the request did not come in time"));
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(read) => line.extend_from_slice(part.get(..read).unwrap_or_default()),
            Err(error) if is_timeout(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(serde_json::from_slice(&line).map_err(|_| "the request is no line of JSON with `command` and `args`"))
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn say(mut stream: &UnixStream, answer: &Answer) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = serde_json::to_vec(&Head {
        exit: answer.exit,
        bytes: answer.text.len(),
        error: answer.error.clone(),
    })?;
    head.push(b'\n');
    stream.write_all(&head)?;
    stream.write_all(answer.text.as_bytes())
}

/// Asks the process that listens in `data`; `None` if none does.
///
/// # Errors
/// When the conversation breaks off.
pub fn ask(data: &Path, request: &Request) -> io::Result<Option<Answer>> {
    let Ok(mut stream) = UnixStream::connect(data.join(NAME)) else {
        return Ok(None);
    };
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    stream.write_all(&line)?;
    let mut said = Vec::new();
    // How long the other side thinks depends on the size of its store: no limit here.
    stream.read_to_end(&mut said)?;
    let broken = || io::Error::new(io::ErrorKind::UnexpectedEof, "the answer broke off");
    let end = said.iter().position(|byte| *byte == b'\n').ok_or_else(broken)?;
    let (head, text) = said.split_at_checked(end + 1).ok_or_else(broken)?;
    let head: Head = serde_json::from_slice(head)?;
    if text.len() != head.bytes {
        return Err(broken());
    }
    let text = String::from_utf8(text.to_vec()).map_err(|_| broken())?;
    Ok(Some(Answer {
        exit: head.exit,
        text,
        error: head.error,
    }))
}
