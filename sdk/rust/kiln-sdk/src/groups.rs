//! What builders check of the host's option groups and a schema cannot say: which options exclude
//! or need each other.

use crate::{Findings, Unchecked};

/// Group `communicator@1`. `builder_has_address`: the builder finds the machine by itself, so that
/// `ssh_host` is not needed; `builder_has_key`: it can put a temporary key into the machine.
pub fn communicator(
    options: &Unchecked,
    findings: &mut Findings,
    builder_has_address: bool,
    builder_has_key: bool,
) {
    findings.durations(
        options,
        &[
            "pause_before_connecting",
            "ssh_timeout",
            "ssh_wait_timeout",
            "ssh_keep_alive_interval",
            "ssh_read_write_timeout",
            "winrm_timeout",
        ],
    );
    let kind = options.text("/communicator").unwrap_or("ssh");
    match kind {
        "ssh" | "" => ssh(options, findings, builder_has_address, builder_has_key),
        "none" => {}
        // Whether the host has it is the host's to say.
        "winrm" if !options.is_set("/winrm_username") => {
            findings.error("", "`winrm_username` must be set", "name the user that kiln logs in as");
        }
        "winrm" => {}
        template if template.contains("{{") => {}
        other => findings.error(
            "/communicator",
            &format!("there is no communicator `{other}`"),
            "use `ssh` or `none`",
        ),
    }
}

fn ssh(options: &Unchecked, findings: &mut Findings, has_address: bool, has_key: bool) {
    // The communicator itself may be unknown; then nothing can be missing yet.
    if options.is_set("/communicator") && options.text("/communicator").is_none() {
        return;
    }
    if !options.is_set("/ssh_username") {
        findings.error("", "`ssh_username` must be set", "name the user that kiln logs in as");
    }
    if !has_address && !options.is_set("/ssh_host") {
        findings.error("", "`ssh_host` must be set", "or say `communicator = \"none\"`");
    }
    let ways = ["/ssh_password", "/ssh_private_key_file"];
    let set = ways.iter().filter(|way| options.is_set(way)).count()
        + usize::from(options.may_be_true("/ssh_agent_auth"));
    if !has_key && set == 0 {
        findings.error(
            "",
            "one way to log in must be set",
            "`ssh_password`, `ssh_private_key_file` or `ssh_agent_auth`",
        );
    }
    if !has_key && set > 1 {
        findings.error(
            "",
            "only one of `ssh_password`, `ssh_private_key_file` and `ssh_agent_auth` may be set",
            "",
        );
    }
    if options.is_set("/ssh_bastion_host") {
        let has_password = options.is_set("/ssh_bastion_password");
        let has_key = options.is_set("/ssh_bastion_private_key_file");
        let other = options.may_be_true("/ssh_bastion_agent_auth")
            || options.may_be_true("/ssh_bastion_interactive")
            || options.is_set("/ssh_private_key_file");
        if !has_password && !has_key && !other {
            findings.error("/ssh_bastion_host", "no way to log in to the bastion host is set", "");
        }
    }
    if options.is_set("/ssh_bastion_host") && options.is_set("/ssh_proxy_host") {
        findings.error(
            "/ssh_proxy_host",
            "only one of `ssh_bastion_host` and `ssh_proxy_host` may be set",
            "",
        );
    }
}

/// Group `http@1`.
pub fn http(options: &Unchecked, findings: &mut Findings) {
    findings.one_of(options, &["http_directory", "http_content"], false);
    findings.range(options, "http_port_min", "http_port_max");
}

/// Group `iso@1`.
pub fn iso(options: &Unchecked, findings: &mut Findings) {
    findings.one_of(options, &["iso_url", "iso_urls"], true);
    let needs_checksum = !options.may_be_true("/iso_skip_cache");
    if needs_checksum && !options.is_set("/iso_checksum") {
        findings.error(
            "",
            "`iso_checksum` must be set",
            "`sha256:HEX`, `file:URL`, or `none` to trust whatever comes",
        );
    }
}

/// Group `boot-command@1`.
pub fn boot_command(options: &Unchecked, findings: &mut Findings) {
    findings.one_of(options, &["boot_command", "boot_steps"], false);
    findings.durations(options, &["boot_wait", "boot_key_interval", "boot_keygroup_interval"]);
    for (pointer, step) in options.items("/boot_steps") {
        if step.as_array().is_some_and(|parts| parts.len() > 2 || parts.is_empty()) {
            findings.error(&pointer, "a boot step is `[keys, description]`", "");
        }
    }
}

/// Group `shutdown@1`.
pub fn shutdown(options: &Unchecked, findings: &mut Findings) {
    findings.durations(options, &["shutdown_timeout"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(json: &str, check: impl Fn(&Unchecked, &mut Findings)) -> Vec<String> {
        let mut findings = Findings::default();
        check(&Unchecked::new(json), &mut findings);
        findings.lines()
    }

    #[test]
    fn a_communicator_needs_host_user_and_one_way_in() {
        let null = |o: &Unchecked, f: &mut Findings| communicator(o, f, false, false);
        assert_eq!(lines(r#"{"communicator":"none"}"#, null), [""; 0]);
        assert_eq!(lines(r#"{"communicator":"ssh"}"#, null).len(), 3);
        let good = r#"{"ssh_host":"h","ssh_username":"u","ssh_password":{"$kiln":"unknown"}}"#;
        assert_eq!(lines(good, null), [""; 0]);
        let two = r#"{"ssh_host":"h","ssh_username":"u","ssh_password":"p","ssh_agent_auth":true}"#;
        assert_eq!(lines(two, null).len(), 1);
        assert_eq!(lines(r#"{"communicator":"winrm","winrm_username":"u"}"#, null), [""; 0]);
        assert_eq!(lines(r#"{"communicator":"winrm"}"#, null), [": `winrm_username` must be set"]);
        assert_eq!(
            lines(r#"{"communicator":"telnet"}"#, null),
            ["/communicator: there is no communicator `telnet`"]
        );
    }

    #[test]
    fn an_iso_needs_one_url_and_a_checksum() {
        assert_eq!(lines(r#"{"iso_url":"a","iso_checksum":"none"}"#, iso), [""; 0]);
        assert_eq!(lines(r#"{"iso_url":"a","iso_skip_cache":true}"#, iso), [""; 0]);
        assert_eq!(lines("{}", iso).len(), 2);
        assert_eq!(lines(r#"{"iso_url":"a","iso_urls":["b"],"iso_checksum":"none"}"#, iso).len(), 1);
    }
}
