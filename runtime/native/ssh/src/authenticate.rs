//! Proves to a server who we are: agent, key, password, keyboard-interactive, in this order.
//!
//! Main function: [`authenticate`]. Methods that the server does not offer are not tried once it has said what it takes.

use std::sync::Arc;

use russh::MethodKind;
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse as Interactive};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKeyWithHashAlg};

use crate::connection::Handler;
use crate::dial;
use crate::error::{Error, Result};
use crate::keypair::{parse_certificate, parse_private};
use crate::options::Login;

/// A server that keeps asking is not asking for a password.
const INTERACTIVE_ROUNDS: usize = 10;

/// More identities than any server lets one try.
const AGENT_IDENTITIES: usize = 20;

/// What came of it.
pub(crate) enum Outcome {
    Accepted,
    Refused { tried: Vec<String>, offered: Vec<String> },
}

struct Attempt<'a> {
    handle: &'a mut Handle<Handler>,
    login: &'a Login,
    tried: Vec<String>,
    offered: Option<Vec<MethodKind>>,
    /// What could not even be tried, such as an agent that does not answer.
    trouble: Vec<String>,
}

/// Tries everything that `login` has. `Err` means that the connection failed, not the credentials.
pub(crate) async fn authenticate(handle: &mut Handle<Handler>, login: &Login) -> Result<Outcome> {
    let mut attempt = Attempt { handle, login, tried: Vec::new(), offered: None, trouble: Vec::new() };
    let accepted = attempt.agent().await?
        || attempt.key().await?
        || attempt.password().await?
        || attempt.interactive().await?;
    if accepted {
        return Ok(Outcome::Accepted);
    }
    if attempt.tried.is_empty() && attempt.none().await? {
        return Ok(Outcome::Accepted);
    }
    let offered = attempt.offered.take().unwrap_or_default();
    let mut tried = attempt.tried;
    tried.extend(attempt.trouble);
    Ok(Outcome::Refused { tried, offered: offered.iter().map(String::from).collect() })
}

impl Attempt<'_> {
    fn takes(&self, kind: MethodKind) -> bool {
        self.offered.as_ref().is_none_or(|offered| offered.contains(&kind))
    }

    fn note(&mut self, method: &str, result: AuthResult) -> Result<bool> {
        if !self.tried.iter().any(|tried| tried == method) {
            self.tried.push(method.to_owned());
        }
        match result {
            AuthResult::Success => Ok(true),
            AuthResult::Failure { remaining_methods, .. } => {
                let offered: Vec<MethodKind> = remaining_methods.iter().copied().collect();
                // Servers hang up after too many refusals; the library then reports an empty list.
                if offered.is_empty() && self.handle.is_closed() {
                    self.offered.get_or_insert_default();
                } else {
                    self.offered = Some(offered);
                }
                Ok(false)
            }
        }
    }

    async fn none(&mut self) -> Result<bool> {
        let result = self.handle.authenticate_none(&self.login.user).await?;
        self.note("none", result)
    }

    async fn rsa_hash(&self) -> Result<Option<HashAlg>> {
        let best = self.handle.best_supported_rsa_hash().await?;
        Ok(best.unwrap_or(Some(HashAlg::Sha256)))
    }

    async fn agent(&mut self) -> Result<bool> {
        let Some(path) = self.login.agent.clone() else { return Ok(false) };
        let identities = async {
            let stream = dial::agent(&path).await.map_err(|error| error.to_string())?;
            let mut client = AgentClient::connect(stream);
            let identities = client.request_identities().await.map_err(|error| error.to_string())?;
            Ok::<_, String>((client, identities))
        };
        let (mut client, identities) = match identities.await {
            Ok(found) => found,
            Err(error) => {
                self.trouble.push(format!("agent (not usable: {error})"));
                return Ok(false);
            }
        };
        if identities.is_empty() {
            self.trouble.push("agent (it holds no key)".into());
        }
        for identity in identities.into_iter().take(AGENT_IDENTITIES) {
            let rsa = identity.public_key().algorithm().is_rsa();
            let hash = if rsa { self.rsa_hash().await? } else { None };
            let user = self.login.user.clone();
            let result = match identity {
                AgentIdentity::PublicKey { key, .. } => {
                    self.handle.authenticate_publickey_with(user, key, hash, &mut client).await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    self.handle.authenticate_certificate_with(user, certificate, hash, &mut client).await
                }
            };
            match result {
                Ok(result) => {
                    if self.note("agent", result)? {
                        return Ok(true);
                    }
                }
                Err(error) => self.trouble.push(format!("agent ({error})")),
            }
            if self.handle.is_closed() || !self.takes(MethodKind::PublicKey) {
                break;
            }
        }
        Ok(false)
    }

    async fn key(&mut self) -> Result<bool> {
        let Some(text) = &self.login.private_key else { return Ok(false) };
        if !self.takes(MethodKind::PublicKey) || self.handle.is_closed() {
            return Ok(false);
        }
        let key = Arc::new(parse_private(text)?);
        let user = self.login.user.clone();
        if let Some(certificate) = &self.login.certificate {
            let certificate = parse_certificate(certificate)?;
            let result = self.handle.authenticate_openssh_cert(&user, Arc::clone(&key), certificate).await?;
            if self.note("publickey", result)? {
                return Ok(true);
            }
        }
        let hash = if key.algorithm().is_rsa() { self.rsa_hash().await? } else { None };
        let result = self.handle.authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, hash)).await?;
        self.note("publickey", result)
    }

    async fn password(&mut self) -> Result<bool> {
        let Some(password) = self.login.password.clone() else { return Ok(false) };
        if !self.takes(MethodKind::Password) || self.handle.is_closed() {
            return Ok(false);
        }
        let result = self.handle.authenticate_password(&self.login.user, password).await?;
        self.note("password", result)
    }

    async fn interactive(&mut self) -> Result<bool> {
        let Some(password) = self.login.password.clone() else { return Ok(false) };
        if !self.takes(MethodKind::KeyboardInteractive) || self.handle.is_closed() {
            return Ok(false);
        }
        let user = self.login.user.clone();
        let mut answer = self.handle.authenticate_keyboard_interactive_start(user, None).await?;
        for _ in 0..INTERACTIVE_ROUNDS {
            match answer {
                Interactive::Success => return Ok(true),
                Interactive::Failure { remaining_methods, partial_success } => {
                    let result = AuthResult::Failure { remaining_methods, partial_success };
                    return self.note("keyboard-interactive", result);
                }
                Interactive::InfoRequest { prompts, .. } => {
                    let answers = prompts.iter().map(|_| password.clone()).collect();
                    answer = self.handle.authenticate_keyboard_interactive_respond(answers).await?;
                }
            }
        }
        Err(Error::protocol("keyboard-interactive", "the server keeps asking"))
    }
}
