//! A program that runs beside a test.

use std::collections::{BTreeSet, VecDeque};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Lines of standard error that are kept for messages.
const KEPT_LINES: usize = 40;
/// How long a program may take to end in good order before it is killed.
const END_WITHIN: Duration = Duration::from_secs(15);
/// The process groups that run now.
static GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A running program with its children; all of them are killed when this is dropped.
pub struct Process {
    name: String,
    child: Child,
    lines: Receiver<String>,
    errors: Arc<Mutex<VecDeque<String>>>,
}

impl Process {
    /// Starts a program in a process group of its own, its output piped to here.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(name: &str, command: &mut Command) -> Result<Process> {
        Self::start_logging(name, command, None)
    }

    /// As [`Process::start`]; all that it says on standard error also goes to a file.
    ///
    /// # Errors
    /// If it cannot be started, or the file cannot be made.
    pub fn start_logging(name: &str, command: &mut Command, log: Option<&Path>) -> Result<Process> {
        let log = log.map(|path| File::create(path).with_context(|| path.display().to_string())).transpose()?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let mut child = command.spawn().with_context(|| format!("{name} cannot be started: {command:?}"))?;
        groups().insert(child.id());
        let (send, lines) = channel();
        read_lines(child.stdout.take(), move |line| {
            // Nobody listens any more when the test is over.
            let _ = send.send(line);
        });
        let errors = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&errors);
        read_lines(child.stderr.take(), move |line| {
            if let Some(mut log) = log.as_ref() {
                // A log that cannot be written must not end what is logged; its last lines are kept below.
                let _ = writeln!(log, "{line}");
            }
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == KEPT_LINES {
                kept.pop_front();
            }
            kept.push_back(line);
        });
        Ok(Process { name: name.to_owned(), child, lines, errors })
    }

    /// The next line of standard output, as JSON.
    ///
    /// # Errors
    /// If none comes in time, or it is no JSON; with what the program said on standard error.
    pub fn json_line(&mut self, within: Duration) -> Result<Value> {
        match self.lines.recv_timeout(within) {
            Ok(line) => serde_json::from_str(&line).with_context(|| format!("{} said `{line}`", self.name)),
            Err(RecvTimeoutError::Timeout) => bail!("{} said nothing for {within:?}{}", self.name, self.errors()),
            Err(RecvTimeoutError::Disconnected) => bail!("{} ended{}", self.name, self.errors()),
        }
    }

    /// The next line of standard output that holds a text.
    ///
    /// # Errors
    /// If none comes in time; with what the program said on standard error.
    pub fn line_with(&mut self, text: &str, within: Duration) -> Result<String> {
        let deadline = Instant::now() + within;
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(text) => return Ok(line),
                Ok(_) => {}
                Err(_) => bail!("{} did not say `{text}` within {within:?}{}", self.name, self.errors()),
            }
        }
    }

    /// Lines of standard output that have come and were not read yet.
    pub fn new_lines(&mut self) -> Vec<String> {
        self.lines.try_iter().collect()
    }

    /// Kills it at once, as a crash would, and gives what it had still written to standard output.
    ///
    /// # Errors
    /// If its end cannot be waited for.
    pub fn kill(mut self) -> Result<Vec<String>> {
        end_group("KILL", self.child.id());
        self.child.wait()?;
        Ok(self.rest())
    }

    /// All lines of standard output until it is closed.
    pub fn rest(&mut self) -> Vec<String> {
        self.lines.iter().collect()
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input.
    ///
    /// # Errors
    /// If it does not read any more.
    pub fn say(&mut self, text: &str) -> Result<()> {
        let Some(input) = self.child.stdin.as_mut() else { bail!("{} reads no more", self.name) };
        let written = input.write_all(text.as_bytes()).and_then(|()| input.flush());
        written.with_context(|| format!("{} reads no more{}", self.name, self.errors()))
    }

    /// Waits until it ends by itself.
    ///
    /// # Errors
    /// If it does not in time.
    pub fn wait(&mut self, within: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() > deadline {
                bail!("{} did not end within {within:?}{}", self.name, self.errors());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asks it to end (SIGTERM) and waits.
    ///
    /// # Errors
    /// If it does not in time.
    pub fn terminate(&mut self, within: Duration) -> Result<ExitStatus> {
        signal("TERM", &self.child.id().to_string());
        self.wait(within)
    }

    /// What it last said on standard error, for messages.
    #[must_use]
    pub fn errors(&self) -> String {
        let kept = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().fold(String::new(), |text, line| format!("{text}\n    {line}"))
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Those with servers of their own need the chance to end them.
        drop(self.child.stdin.take());
        end_group("TERM", self.child.id());
        let _ = self.wait(END_WITHIN);
        end_group("KILL", self.child.id());
        let _ = self.child.wait();
        groups().remove(&self.child.id());
    }
}

/// Ends every program that runs now; for a signal's handler.
pub fn end_all() {
    let running: Vec<u32> = groups().iter().copied().collect();
    for group in &running {
        end_group("TERM", *group);
    }
    let alive = |group: &u32| Path::new("/proc").join(group.to_string()).join("exe").exists();
    let deadline = Instant::now() + END_WITHIN;
    while running.iter().any(alive) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    for group in running {
        end_group("KILL", group);
    }
}

fn groups() -> std::sync::MutexGuard<'static, BTreeSet<u32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end_group(name: &str, leader: u32) {
    signal(name, &format!("-{leader}"));
}

fn signal(name: &str, target: &str) {
    // A process that has gone already is what we want.
    let _ = Command::new("kill").args(["-s", name, "--", target]).stderr(Stdio::null()).status();
}

fn read_lines(source: Option<impl Read + Send + 'static>, mut each: impl FnMut(String) + Send + 'static) {
    let Some(source) = source else { return };
    std::thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            each(line);
        }
    });
}

/// A port of the loopback that was free a moment ago, for programs that must be told one.
///
/// # Errors
/// If there is none.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Asks again until there is an answer. The last error is the answer when the time is over.
///
/// # Errors
/// What `ask` said last, with `what` was waited for.
pub fn until<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + within;
    loop {
        match ask() {
            Ok(answer) => return Ok(answer),
            Err(error) if Instant::now() > deadline => {
                return Err(error.context(format!("waited {within:?} for {what}")));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}
