//! Fixers of provisioners.

use super::step::{Step, kind, rename, succeed};
use serde_json::Value;

pub(super) fn virtualbox_override(provisioner: &mut Step) {
    if let Some(Value::Object(overrides)) = provisioner.get_mut("override") {
        rename(overrides, "virtualbox", "virtualbox-iso");
    }
}

pub(super) fn galaxy_command(provisioner: &mut Step) {
    if kind(provisioner) == "ansible-local" {
        succeed(provisioner, "galaxycommand", "galaxy_command", Value::is_string);
    }
}

pub(super) fn powershell_escapes(provisioner: &mut Step) {
    if kind(provisioner) != "powershell" {
        return;
    }
    if let Some(Value::Array(variables)) = provisioner.get_mut("environment_vars")
        && variables.iter().all(Value::is_string)
    {
        variables.iter_mut().for_each(unescape);
    }
    for name in ["elevated_user", "elevated_password"] {
        provisioner.get_mut(name).into_iter().for_each(unescape);
    }
}

/// A backtick before a sign that PowerShell would read as its own goes.
fn unescape(value: &mut Value) {
    let Value::String(text) = value else { return };
    let mut out = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    while let Some(sign) = signs.next() {
        let escaped = signs.next_if(|next| sign == '`' && matches!(next, '$' | '"' | '\'' | '`'));
        out.push(escaped.unwrap_or(sign));
    }
    *text = out;
}
