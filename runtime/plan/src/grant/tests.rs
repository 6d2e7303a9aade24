use super::*;

fn grants(name: &str, targets: &[&str]) -> Result<Grants, GrantError> {
    Grants::parse([(name, targets)])
}

/// A small generator, so that the properties need no crate: the same numbers every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[(self.next() % from.len() as u64) as usize]
    }
}

#[test]
fn nothing_permits_nothing() {
    let none = Grants::none();
    let requests = [
        Request::Http { scheme: "https", host: "example.com", port: 443 },
        Request::Exec("sh"),
        Request::Env("HOME"),
        Request::Read("/etc/passwd"),
        Request::Write("/etc/passwd"),
        Request::Ssh([127, 0, 0, 1].into(), 22),
    ];
    for request in requests.into_iter().chain(Switch::ALL.map(Request::Switch)) {
        assert!(none.permit(&request).is_err(), "{request:?}");
    }
}

#[test]
fn empty_lists_permit_nothing() {
    for name in ["http", "exec", "env", "files.read", "files.write", "ssh"] {
        assert_eq!(grants(name, &[]).unwrap(), Grants::none(), "{name}");
    }
    assert_eq!(grants("everything", &[]), Err(GrantError::Unknown("everything".into())));
}

/// The line that a refusal prints, put in place, permits exactly what was refused.
#[test]
fn a_refusal_prints_the_line_that_helps() {
    let requests = [
        Request::Http { scheme: "http", host: "a.example", port: 8080 },
        Request::Http { scheme: "https", host: "2001:db8::1", port: 443 },
        Request::Exec("ansible-playbook"),
        Request::Env("AWS_PROFILE"),
        Request::Read("/srv/a b.iso"),
        Request::Write("/srv/out"),
        Request::Ssh([10, 1, 2, 3].into(), 22),
        Request::Ssh("fd00::1".parse().unwrap(), 2222),
    ];
    for request in requests {
        let refusal = Grants::none().permit(&request).unwrap_err();
        let (name, list) = refusal.line.split_once(" = ").unwrap();
        let target: Vec<String> = serde_json::from_str(list).unwrap();
        let name = name.trim_matches('"');
        assert_eq!(name, refusal.grant);
        Grants::parse([(name, target.as_slice())]).unwrap().permit(&request).unwrap();
    }
    for switch in Switch::ALL {
        let refusal = Grants::none().permit(&Request::Switch(switch)).unwrap_err();
        assert!(refusal.line.ends_with(" = true"), "{refusal}");
        grants(refusal.grant, &[]).unwrap().permit(&Request::Switch(switch)).unwrap();
    }
}

#[test]
fn http_patterns() {
    let cases: &[(&str, &str, &str, u16, bool)] = &[
        ("https://api.example.com", "https", "api.example.com", 443, true),
        ("https://api.example.com", "https", "API.Example.COM.", 443, true),
        ("https://api.example.com", "http", "api.example.com", 443, false),
        ("https://api.example.com", "https", "api.example.com", 8443, false),
        ("https://api.example.com", "https", "api.example.com.evil.test", 443, false),
        ("https://api.example.com", "https", "xapi.example.com", 443, false),
        ("https://*.example.com", "https", "a.b.example.com", 443, true),
        ("https://*.example.com", "https", "example.com", 443, false),
        ("https://*.example.com", "https", "evilexample.com", 443, false),
        ("https://*.example.com", "https", ".example.com", 443, false),
        ("http://h.test:*", "http", "h.test", 9, true),
        ("http://127.0.0.1:80", "http", "::ffff:127.0.0.1", 80, true),
        ("http://[::1]:80", "http", "0:0:0:0:0:0:0:1", 80, true),
        ("http://[::1]:80", "http", "127.0.0.1", 80, false),
    ];
    for (target, scheme, host, port, wanted) in cases {
        let got =
            grants("http", &[target]).unwrap().permit(&Request::Http { scheme, host, port: *port }).is_ok();
        assert_eq!(got, *wanted, "{target} for {scheme}://{host}:{port}");
    }
    for bad in [
        "*",
        "https://*",
        "https://*.com",
        "https://a*b.com",
        "https://",
        "ftp://x",
        "https://u@h",
        "https://h/p",
        "https://h:0",
        "https://h:70000",
        "https://::1",
        "https://*.127.0.0.1",
        "https://h%2e",
        "https://a b",
    ] {
        assert!(grants("http", &[bad]).is_err(), "{bad}");
    }
}

#[test]
fn ssh_networks() {
    let ten = grants("ssh", &["10.0.0.0/8:22"]).unwrap();
    for (address, port, wanted) in [
        ("10.255.0.1", 22, true),
        ("11.0.0.1", 22, false),
        ("10.0.0.1", 23, false),
        ("::ffff:10.0.0.1", 22, true),
        ("fd00::a", 22, false),
    ] {
        assert_eq!(
            ten.permit(&Request::Ssh(address.parse().unwrap(), port)).is_ok(),
            wanted,
            "{address}:{port}"
        );
    }
    for bad in ["10.0.0.0/8", "10.0.0.0/33:22", "host:22", "fd00::/8:22", "[fd00::/129]:22", "10.0.0.1:0"] {
        assert!(grants("ssh", &[bad]).is_err(), "{bad}");
    }
}

/// A network covers an address if and only if their first bits are the same.
#[test]
fn networks_are_prefixes() {
    let mut numbers = Numbers(7);
    for _ in 0..2000 {
        let (a, b) = (numbers.next() as u32, numbers.next() as u32);
        let bits = (numbers.next() % 33) as u32;
        let (a4, b4) = (
            std::net::Ipv4Addr::from(a),
            std::net::Ipv4Addr::from(if numbers.next().is_multiple_of(2) { b } else { a ^ (b & 0xff) }),
        );
        let same = bits == 0 || (a ^ b4.to_bits()) >> (32 - bits) == 0;
        let pattern = SshPattern::parse(&format!("{a4}/{bits}:*")).unwrap();
        assert_eq!(pattern.matches(b4.into(), 1), same, "{a4}/{bits} {b4}");
    }
}

#[test]
fn paths_cover_what_is_below() {
    for (target, path, wanted) in [
        ("/srv/images", "/srv/images", true),
        ("/srv/images", "/srv/images/a/b", true),
        ("/srv/images/", "/srv//images/./a", true),
        ("/srv/images", "/srv/images2", false),
        ("/srv/images", "/srv/images/../secret", false),
        ("/srv/*.iso", "/srv/a.iso", true),
        ("/srv/*.iso", "/srv/a/b.iso", false),
        ("/srv/images", "/srv", false),
    ] {
        assert_eq!(
            grants("files.read", &[target]).unwrap().permit(&Request::Read(path)).is_ok(),
            wanted,
            "{target} {path}"
        );
        assert!(grants("files.read", &[target]).unwrap().permit(&Request::Write(path)).is_err());
    }
    for bad in ["relative", "/", "/*", "/a/../b", ""] {
        assert!(grants("files.write", &[bad]).is_err(), "{bad}");
    }
}

#[test]
fn names_and_patterns() {
    let env = grants("env", &["AWS_*", "HOME"]).unwrap();
    for (name, wanted) in
        [("AWS_KEY", true), ("AWS", false), ("HOME", true), ("HOMES", false), ("XAWS_", false)]
    {
        assert_eq!(env.permit(&Request::Env(name)).is_ok(), wanted, "{name}");
    }
    for bad in ["", "A-B", "A=B"] {
        assert!(grants("env", &[bad]).is_err(), "{bad}");
    }
    for bad in ["", "s*", "./x", "a/b", "x\n"] {
        assert!(grants("exec", &[bad]).is_err(), "{bad}");
    }
    assert!(grants("hypervisor", &["x"]).is_err());
}

/// `glob_matches` agrees with the plain recursive definition.
#[test]
fn globs_agree_with_their_definition() {
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
            Some((c, rest)) => text.first() == Some(c) && slow(rest, &text[1..]),
        }
    }
    let mut numbers = Numbers(99);
    for _ in 0..20_000 {
        let pattern: String = (0..numbers.next() % 6).map(|_| numbers.pick(&["a", "b", "*"])).collect();
        let text: String = (0..numbers.next() % 7).map(|_| numbers.pick(&["a", "b"])).collect();
        assert_eq!(
            glob_matches(&pattern, &text),
            slow(pattern.as_bytes(), text.as_bytes()),
            "{pattern} {text}"
        );
    }
}

/// Adding a grant never takes one away, and what is written reads back the same.
#[test]
fn grants_only_grow_and_round_trip() {
    let pool: [(&str, &[&str]); 8] = [
        ("http", &["https://a.test", "http://*.b.test:81"]),
        ("exec", &["sh"]),
        ("env", &["X_*"]),
        ("files.read", &["/srv"]),
        ("files.write", &["/out"]),
        ("ssh", &["10.0.0.0/8:22"]),
        ("hypervisor", &[]),
        ("secrets.reveal", &[]),
    ];
    let mut numbers = Numbers(3);
    for _ in 0..200 {
        let mut all = Grants::none();
        let mut before = Vec::new();
        for _ in 0..5 {
            let (name, targets) = pool[(numbers.next() % 8) as usize];
            all.add(name, targets).unwrap();
            before.push(all.clone());
        }
        for smaller in &before {
            assert!(smaller.beyond(&all).is_empty());
        }
        let map = all.to_map();
        let again =
            Grants::parse(map.iter().map(|(name, targets)| (name.as_str(), targets.as_slice()))).unwrap();
        assert_eq!(again.to_map(), map);
    }
}

#[test]
fn full_trust_is_what_comes_to_everything() {
    let trusted = |name: &str, target: &[&str]| Grants::parse([(name, target)]).unwrap().is_full_trust();
    assert!(trusted("exec", &["ansible-playbook"]) && trusted("exec", &["*"]));
    assert!(trusted("hypervisor.raw-args", &[]) && !trusted("hypervisor", &[]));
    for path in
        ["/etc", "/home", "/home/me", "/home/*/.config", "/usr", "/r*", "/run", "/var/run/docker.sock"]
    {
        assert!(trusted("files.write", &[path]), "{path}");
    }
    for path in ["/srv/images", "/home/me/images", "/var/lib/images", "/tmp"] {
        assert!(!trusted("files.write", &[path]), "{path}");
    }
    assert!(trusted("files.read", &["/run/docker.sock"]) && !trusted("files.read", &["/home/me"]));
    assert!(!trusted("http", &["https://example.com"]));
}
