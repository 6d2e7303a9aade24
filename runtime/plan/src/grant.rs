//! Permissions beyond designation: what a user approved, and whether it covers a request.
//!
//! | grant | targets | covers |
//! | --- | --- | --- |
//! | `http` | `https://api.example.com`, `http://*.example.com:8080` | requests to that scheme, host and port |
//! | `exec` | `ansible-playbook`, `/usr/bin/tool`, `*` | that program, or every one; full trust |
//! | `env` | `AWS_*` | environment variables by name |
//! | `files.read`, `files.write` | `/srv/images`, `/srv/*.iso` | that path and what is below it |
//! | `ssh` | `10.0.0.0/8:22`, `[fd00::/8]:*` | connections to that network and port |
//! | `hypervisor`, `hypervisor.raw-args`, `hypervisor.monitor`, `hypervisor.bridge` | none | virtual machines |
//! | `secrets.reveal`, `session.forward` | none | reading secrets, forwarding ports |
//!
//! Main type: [`Grants`]. Invariant: no grants permit nothing, and adding a grant never takes a
//! permission away.

mod http;
mod names;
mod ssh;

pub use http::HttpPattern;
pub use names::{glob_matches, path_covers};
pub use ssh::SshPattern;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

/// The most targets of one grant.
const MAX_TARGETS: usize = 1024;

/// Whoever writes these, or others like them, can do everything that the user can.
const CONTROLS: [&str; 4] = ["/etc/profile", "/usr/bin/env", "/bin/sh", "/root/.profile"];
/// Whoever reaches these can run anything as root.
const SOCKETS: [&str; 6] = [
    "/run/docker.sock",
    "/var/run/docker.sock",
    "/run/podman/podman.sock",
    "/run/user/1000/podman/podman.sock",
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
];

/// A grant without targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Switch {
    /// Virtual machines on this host.
    Hypervisor,
    /// Arguments that reach the hypervisor as they are; full trust.
    RawArgs,
    /// Commands to the hypervisor's monitor.
    Monitor,
    /// The machine on the host's own network.
    Bridge,
    /// The value behind sealed text.
    Reveal,
    /// Ports of loopback that lead into the machine.
    Forward,
}

impl Switch {
    /// Every one of them.
    pub const ALL: [Self; 6] =
        [Self::Hypervisor, Self::RawArgs, Self::Monitor, Self::Bridge, Self::Reveal, Self::Forward];

    /// As it is written: `hypervisor.raw-args`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hypervisor => "hypervisor",
            Self::RawArgs => "hypervisor.raw-args",
            Self::Monitor => "hypervisor.monitor",
            Self::Bridge => "hypervisor.bridge",
            Self::Reveal => "secrets.reveal",
            Self::Forward => "session.forward",
        }
    }
}

/// What a step wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// An HTTP request: scheme, host (name or address, no brackets), port.
    Http {
        /// `http` or `https`.
        scheme: &'a str,
        /// Lower case.
        host: &'a str,
        /// The port dialled.
        port: u16,
    },
    /// A program, as the component names it.
    Exec(&'a str),
    /// An environment variable.
    Env(&'a str),
    /// A path to read, resolved and absolute.
    Read(&'a str),
    /// A path to write, resolved and absolute.
    Write(&'a str),
    /// A connection to an address.
    Ssh(IpAddr, u16),
    /// Something without targets.
    Switch(Switch),
}

/// A grant that was missing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not granted: {what} needs the grant `{line}`")]
pub struct Refusal {
    /// The grant's name.
    pub grant: &'static str,
    /// What was wanted, in words.
    pub what: String,
    /// The line of `kiln.lock` that would add it: `http = ["https://x"]`.
    pub line: String,
}

/// A grant that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// No such grant.
    #[error("unknown grant `{0}`")]
    Unknown(String),
    /// A target that the grant cannot have.
    #[error("grant `{grant}`: `{target}` {problem}")]
    Target {
        /// The grant.
        grant: String,
        /// The target.
        target: String,
        /// Why not.
        problem: &'static str,
    },
}

/// All that one component was granted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    http: Vec<HttpPattern>,
    exec: BTreeSet<String>,
    env: BTreeSet<String>,
    read: BTreeSet<String>,
    write: BTreeSet<String>,
    ssh: Vec<SshPattern>,
    switches: BTreeSet<Switch>,
}

impl Grants {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads grants by name, as the lock file and `describe` write them.
    ///
    /// # Errors
    /// The first grant that is unknown or has a target it cannot have.
    pub fn parse<'a, T: AsRef<str> + 'a>(
        grants: impl IntoIterator<Item = (&'a str, &'a [T])>,
    ) -> Result<Self, GrantError> {
        let mut all = Self::none();
        for (name, targets) in grants {
            let targets: Vec<&str> = targets.iter().map(AsRef::as_ref).collect();
            all.add(name, &targets)?;
        }
        Ok(all)
    }

    /// Adds one grant.
    ///
    /// # Errors
    /// It is unknown, or a target is not one of its kind.
    pub fn add(&mut self, name: &str, targets: &[&str]) -> Result<(), GrantError> {
        let bad = |target: &str, problem| GrantError::Target {
            grant: name.to_owned(),
            target: target.to_owned(),
            problem,
        };
        if targets.len() > MAX_TARGETS {
            return Err(bad("", "has more than 1024 targets"));
        }
        if let Some(switch) = Switch::ALL.into_iter().find(|switch| switch.as_str() == name) {
            if let Some(target) = targets.first() {
                return Err(bad(target, "is a target, but the grant has none"));
            }
            self.switches.insert(switch);
            return Ok(());
        }
        for target in targets {
            match name {
                "http" => self.http.push(HttpPattern::parse(target).map_err(|p| bad(target, p))?),
                "ssh" => self.ssh.push(SshPattern::parse(target).map_err(|p| bad(target, p))?),
                "exec" => insert(&mut self.exec, target, names::program).map_err(|p| bad(target, p))?,
                "env" => insert(&mut self.env, target, names::variable).map_err(|p| bad(target, p))?,
                "files.read" => insert(&mut self.read, target, names::path).map_err(|p| bad(target, p))?,
                "files.write" => insert(&mut self.write, target, names::path).map_err(|p| bad(target, p))?,
                _ => return Err(GrantError::Unknown(name.to_owned())),
            }
        }
        // A name alone, without targets, still has to be one.
        match name {
            "http" | "ssh" | "exec" | "env" | "files.read" | "files.write" => Ok(()),
            _ => Err(GrantError::Unknown(name.to_owned())),
        }
    }

    /// Whether the request is covered.
    ///
    /// # Errors
    /// [`Refusal`] with the line that would cover it.
    pub fn permit(&self, request: &Request<'_>) -> Result<(), Refusal> {
        let covered = match *request {
            Request::Http { scheme, host, port } => {
                self.http.iter().any(|pattern| pattern.matches(scheme, host, port))
            }
            Request::Exec(program) => self.exec.contains(program) || self.exec.contains("*"),
            Request::Env(name) => self.env.iter().any(|pattern| glob_matches(pattern, name)),
            Request::Read(path) => self.read.iter().any(|pattern| path_covers(pattern, path)),
            Request::Write(path) => self.write.iter().any(|pattern| path_covers(pattern, path)),
            Request::Ssh(address, port) => self.ssh.iter().any(|pattern| pattern.matches(address, port)),
            Request::Switch(switch) => self.switches.contains(&switch),
        };
        if covered { Ok(()) } else { Err(refusal(request)) }
    }

    /// Whether a switch is on.
    pub fn has(&self, switch: Switch) -> bool {
        self.switches.contains(&switch)
    }

    /// The names of granted environment variables, as patterns.
    pub fn env_patterns(&self) -> impl Iterator<Item = &str> {
        self.env.iter().map(String::as_str)
    }

    /// Whether it grants full trust: programs, raw arguments, the socket of a container engine, or
    /// writing what the user or the system runs.
    pub fn is_full_trust(&self) -> bool {
        let covers = |patterns: &BTreeSet<String>, paths: &[&str]| {
            patterns.iter().any(|pattern| paths.iter().any(|path| path_covers(pattern, path)))
        };
        !self.exec.is_empty()
            || self.has(Switch::RawArgs)
            || covers(&self.write, &CONTROLS)
            || self.write.iter().any(|pattern| names::holds_a_home(pattern))
            || covers(&self.write, &SOCKETS)
            || covers(&self.read, &SOCKETS)
    }

    /// Whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        *self == Self::none()
    }

    /// By name, as it would be written; the inverse of [`Grants::parse`].
    pub fn to_map(&self) -> BTreeMap<String, Vec<String>> {
        let mut map = BTreeMap::new();
        let mut put = |name: &str, targets: Vec<String>| {
            if !targets.is_empty() {
                map.insert(name.to_owned(), targets);
            }
        };
        put("http", self.http.iter().map(ToString::to_string).collect());
        put("exec", self.exec.iter().cloned().collect());
        put("env", self.env.iter().cloned().collect());
        put("files.read", self.read.iter().cloned().collect());
        put("files.write", self.write.iter().cloned().collect());
        put("ssh", self.ssh.iter().map(ToString::to_string).collect());
        for switch in &self.switches {
            map.insert(switch.as_str().to_owned(), Vec::new());
        }
        map
    }

    /// What `self` has and `approved` has not, by literal target; empty if nothing new is asked.
    pub fn beyond(&self, approved: &Self) -> BTreeMap<String, Vec<String>> {
        let approved = approved.to_map();
        self.to_map()
            .into_iter()
            .filter_map(|(name, targets)| match approved.get(&name) {
                None => Some((name, targets)),
                Some(known) => {
                    let new: Vec<_> = targets.into_iter().filter(|target| !known.contains(target)).collect();
                    (!new.is_empty()).then_some((name, new))
                }
            })
            .collect()
    }
}

fn insert(
    set: &mut BTreeSet<String>,
    target: &str,
    check: fn(&str) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    check(target)?;
    set.insert(target.to_owned());
    Ok(())
}

fn refusal(request: &Request<'_>) -> Refusal {
    let listed = |grant: &'static str, what: String, target: &dyn fmt::Display| Refusal {
        grant,
        what,
        line: format!("{} = [{}]", key(grant), quoted(&target.to_string())),
    };
    match *request {
        Request::Http { scheme, host, port } => {
            let target = http::write(scheme, host, Some(port));
            listed("http", format!("a request to {target}"), &target)
        }
        Request::Exec(program) => listed("exec", format!("running `{program}`"), &program),
        Request::Env(name) => listed("env", format!("reading the variable `{name}`"), &name),
        Request::Read(path) => listed("files.read", format!("reading `{path}`"), &path),
        Request::Write(path) => listed("files.write", format!("writing `{path}`"), &path),
        Request::Ssh(address, port) => {
            let target = ssh::write(address, port);
            listed("ssh", format!("a connection to {target}"), &target)
        }
        Request::Switch(switch) => Refusal {
            grant: switch.as_str(),
            what: switch_words(switch).to_owned(),
            line: format!("{} = true", key(switch.as_str())),
        },
    }
}

fn switch_words(switch: Switch) -> &'static str {
    match switch {
        Switch::Hypervisor => "running virtual machines",
        Switch::RawArgs => "passing raw arguments to the hypervisor",
        Switch::Monitor => "commanding the hypervisor's monitor",
        Switch::Bridge => "putting a machine on the host's network",
        Switch::Reveal => "reading the value of a secret",
        Switch::Forward => "forwarding a port into the machine",
    }
}

/// A key of TOML: names with a dot are quoted.
fn key(grant: &str) -> String {
    if grant.contains('.') { format!("\"{grant}\"") } else { grant.to_owned() }
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
