//! The exporters: started, killed, started again with what they owe.

use std::time::Duration;

use anyhow::{Result, bail};
use flowglass_tests::process::Process;

use crate::ledger::{Ledger, Told};
use crate::spans::Stream;

/// How long an exporter may take to get rid of what is on its way when all is over.
const FINISH_WITHIN: Duration = Duration::from_secs(120);

/// One exporter over all its lives.
pub(crate) struct Sender {
    stream: Stream,
    http: String,
    process: Option<Process>,
    /// Its account.
    pub(crate) ledger: Ledger,
    /// Requests that had no answer when it was killed.
    pub(crate) interrupted: Vec<u64>,
}

impl Sender {
    /// Starts one.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn start(http: String, stream: Stream) -> Result<Sender> {
        let mut sender = Sender { stream, http, process: None, ledger: Ledger::default(), interrupted: Vec::new() };
        sender.restart()?;
        Ok(sender)
    }

    /// What it sends.
    pub(crate) fn stream(&self) -> Stream {
        self.stream
    }

    /// Starts it again: it begins with what had no answer.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(crate) fn restart(&mut self) -> Result<()> {
        let Stream { seed, sender, base, every } = self.stream;
        // This very program, also when it was built anew meanwhile.
        let mut command = std::process::Command::new("/proc/self/exe");
        command.args(["sender", "--http", &self.http]);
        for (name, value) in [("--number", sender), ("--seed", seed), ("--base", base), ("--every", every)] {
            command.arg(name).arg(value.to_string());
        }
        let mut process = Process::start(&format!("exporter {sender}"), &mut command)?;
        let again: String = self.ledger.flying().iter().map(|n| format!("again {n}\n")).collect();
        process.say(&format!("{again}go {}\n", self.ledger.next()))?;
        self.process = Some(process);
        Ok(())
    }

    /// Enters what it said since the last time.
    ///
    /// # Errors
    /// If it ended by itself, or its account does not add up.
    pub(crate) fn listen(&mut self) -> Result<()> {
        let Some(process) = &mut self.process else { return Ok(()) };
        let runs = process.runs();
        let lines = if runs { process.new_lines() } else { process.rest() };
        if !runs {
            bail!("exporter {} ended by itself{}", self.stream.sender, process.errors());
        }
        self.enter(&lines)
    }

    /// Kills it.
    ///
    /// # Errors
    /// As [`Sender::listen`].
    pub(crate) fn kill(&mut self) -> Result<()> {
        let Some(process) = self.process.take() else { return Ok(()) };
        let lines = process.kill()?;
        self.enter(&lines)?;
        self.interrupted.extend(self.ledger.flying());
        Ok(())
    }

    /// Lets it send what it owes and nothing new.
    ///
    /// # Errors
    /// If it does not get rid of it in time.
    pub(crate) fn finish(&mut self) -> Result<()> {
        if self.process.is_none() {
            self.restart()?;
        }
        let Some(mut process) = self.process.take() else { return Ok(()) };
        process.say("stop\n")?;
        let ended = process.wait(FINISH_WITHIN);
        if ended.is_err() {
            let lines = process.kill()?;
            self.enter(&lines)?;
            bail!("exporter {} could not get rid of {:?}", self.stream.sender, self.ledger.flying());
        }
        let lines = process.rest();
        self.enter(&lines)
    }

    fn enter(&mut self, lines: &[String]) -> Result<()> {
        lines.iter().try_for_each(|line| self.ledger.enter(Told::read(line)?))
    }
}
