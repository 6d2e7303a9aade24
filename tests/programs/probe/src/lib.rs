//! A provisioner that does what its option `do` says, one word after the other: reaches for things,
//! loops, leaks, breaks. What it learns it says to the user, so that the host's tests can look.

wit_bindgen::generate!({ path: "../../../wit", world: "provisioner-component", generate_all });

use exports::kiln::component::component::{Description, Guest as Component, WantedGrant};
use exports::kiln::component::provisioner::{
    Configuration, Context, Diagnostic, Error, Guest as Provisioner, Session,
};
use kiln::host::types::{ErrorCode, Severity};
use kiln::host::{
    artifacts, config, downloads, exec, files, hypervisor, journal, render, secrets, transfers, ui,
};
use serde_json::Value;

struct Probe;
export!(Probe);

const SCHEMA: &str = r#"{"properties":{
    "do": {"type":"array","items":{"type":"string","x-kiln-late":true}},
    "file": {"type":"string","x-kiln-designates":"file"},
    "lazy": {"type":"string","x-kiln-designates":{"what":"file","must-exist":false}},
    "when": {"type":"string","x-kiln-designates":{"what":"file","when":{"mode":"read"}}},
    "mode": {"type":"string"},
    "directory": {"type":"string","x-kiln-designates":"directory"},
    "globs": {"type":"array","items":{"type":"string","x-kiln-designates":"glob"}},
    "output": {"type":"string","x-kiln-designates":"output","x-kiln-late":true},
    "append": {"type":"string","x-kiln-designates":"output-append"},
    "replace": {"type":"string","x-kiln-designates":"output-replace"},
    "defaulted": {"type":"string","default":"../secret","x-kiln-designates":{"what":"file","must-exist":false}},
    "key": {"type":"string","x-kiln-designates":"key-file"},
    "command": {"type":"string","x-kiln-designates":"command"},
    "number": {"type":"number"},
    "text": {"type":"string"},
    "secret": {"type":"string","x-kiln-sensitive":true},
    "needed": {"type":"string","default":"there"}
}}"#;

impl Component for Probe {
    fn describe() -> Description {
        Description {
            name: "probe".into(),
            version: "0.1.0".into(),
            summary: "does what a test says".into(),
            config_schema: SCHEMA.into(),
            output_schema: "{}".into(),
            wanted_grants: vec![WantedGrant {
                name: "exec".into(),
                targets: vec!["sh".into()],
                reason: "to run what a test says".into(),
                optional: true,
            }],
        }
    }
}

impl Provisioner for Probe {
    fn validate(configuration: Configuration) -> Vec<Diagnostic> {
        let json: Value = serde_json::from_str(&configuration.json()).unwrap();
        if json["text"] == "reach" {
            // Nothing may be reached from here.
            let code = configuration.entry("/file").err().map(|e| format!("{:?}", e.code));
            return vec![finding(&format!(
                "entry: {code:?}, exec: {:?}",
                run("sh", &["-c", "true"]).err().map(|e| e.code)
            ))];
        }
        if json["text"] == "loop" {
            spin();
        }
        if json["text"] == "bad" { vec![finding("the text is bad")] } else { vec![] }
    }

    fn provision(context: Context, configuration: Configuration, _: Option<Session>) -> Result<(), Error> {
        let json: Value = serde_json::from_str(&configuration.json()).unwrap();
        for word in json["do"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let (verb, rest) = word.split_once(' ').unwrap_or((word, ""));
            act(verb, rest, &context, &configuration, &json)?;
        }
        Ok(())
    }
}

fn finding(message: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        message: message.into(),
        pointer: Some("/text".into()),
        help: None,
    }
}

fn spin() {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}

fn recurse(n: u64) -> u64 {
    let pad = std::hint::black_box([n; 64]);
    if n == u64::MAX { 0 } else { recurse(n + 1) + pad[3] }
}

fn code<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(error) => format!("{:?}: {}", error.code, error.message),
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<(Option<i32>, String), Error> {
    let call = exec::Call::new(program);
    for argument in arguments {
        call.argument(&[exec::Part::Text((*argument).into())]);
    }
    call.inherit_env();
    let finished = exec::run(call)?;
    Ok((finished.status(), String::from_utf8_lossy(&finished.stdout()).into_owned()))
}

fn act(
    verb: &str,
    rest: &str,
    context: &Context,
    configuration: &Configuration,
    json: &Value,
) -> Result<(), Error> {
    let number: u64 = rest.parse().unwrap_or(0);
    match verb {
        "loop" => spin(),
        "recurse" => ui::say(&recurse(0).to_string()),
        "trap" => std::process::abort(),
        "alloc" => {
            let bytes = vec![1_u8; usize::try_from(number).unwrap()];
            ui::say(&std::hint::black_box(bytes).len().to_string());
        }
        "say" => ui::say(rest),
        "flood" => (0..number).for_each(|i| ui::say(&format!("line {i}"))),
        "long" => ui::say(&"x".repeat(usize::try_from(number).unwrap())),
        "print" => (0..number).for_each(|_| println!("{}", "y".repeat(1000))),
        "handles" => {
            for _ in 0..number {
                std::mem::forget(files::from_text("x", "")?);
            }
        }
        "hold" => {
            let mut held = Vec::new();
            for _ in 0..number {
                held.push(files::from_bytes("x", &vec![0; 1 << 20])?);
            }
        }
        "sleep" => ui::sleep(number)?,
        "naps" => {
            for _ in 0..number {
                ui::sleep(1)?;
            }
        }
        "stubborn" => loop {
            let _ = ui::sleep(1000);
        },
        "fail" => {
            return Err(Error {
                code: ErrorCode::Failed,
                message: rest.into(),
                pointer: Some("/text".into()),
                retryable: true,
            });
        }
        "json" => ui::say(&json.to_string()),
        "values" => ui::say(&context.values()),
        "name" => {
            ui::say(&format!("{} {} {}", context.build_name(), context.source_name(), context.builder_type()))
        }
        "entry" => ui::say(&match configuration.entry(rest) {
            Ok(config::Entry::File(file)) => {
                format!("file {} {}", file.name(), code(file.text(1 << 20).inspect(|t| ui::say(t))))
            }
            Ok(config::Entry::Directory(directory)) => {
                format!(
                    "directory {:?}",
                    directory.items()?.iter().map(|item| item.name.clone()).collect::<Vec<_>>()
                )
            }
            Err(error) => format!("{:?}: {}", error.code, error.message),
        }),
        "entries" => {
            let names: Vec<_> = configuration.entries(rest)?.into_iter().map(|entry| entry.name).collect();
            ui::say(&format!("{names:?}"));
        }
        "below" => {
            let config::Entry::Directory(directory) = configuration.entry("/directory")? else {
                unreachable!()
            };
            ui::say(&code(directory.file(rest)));
        }
        "write" => {
            let (pointer, text) = rest.split_once(' ').unwrap_or((rest, ""));
            let text = text.replace("SECRET", json["secret"].as_str().unwrap_or(""));
            let result =
                configuration.output(pointer, r#"{"Name":"late","Up":"../up"}"#).and_then(|output| {
                    let file = output.write(&files::from_text("x", &text)?, 0o640)?;
                    Ok(format!("{} {}", output.display(), file.size()?))
                });
            ui::say(&result.unwrap_or_else(|e| format!("{:?}: {}", e.code, e.message)));
        }
        "child" => {
            let output = configuration.output("/output", r#"{"Name":"late"}"#)?;
            let written =
                output.child(rest).and_then(|child| child.write(&files::from_text("x", "child")?, 0o600));
            ui::say(&code(written));
        }
        "append" => {
            let output = configuration.output("/append", "")?;
            let _lock = output.lock(1000)?;
            output.append(&files::from_text("x", rest)?)?;
        }
        "scratch" => {
            let output = files::scratch(rest)?;
            output.write(&files::from_text("x", json["secret"].as_str().unwrap_or("plain"))?, 0o600)?;
            ui::say(&output.existing()?.unwrap().text(1000)?);
        }
        "archive" => {
            let output = configuration.output("/output", "")?;
            let content = files::from_text("a.txt", "hello")?;
            let entries = [files::ArchiveEntry { name: "a.txt".into(), content: &content }];
            let file = files::archive(&entries, files::Container::Tar, files::Compression::Gzip, 0, &output)?;
            ui::say(&format!(
                "{} {}",
                file.size()? > 0,
                file.transform(files::Transformation::Decompress)?.size()?
            ));
        }
        "digest" => ui::say(&files::from_text("x", rest)?.digest(files::DigestAlgorithm::Sha256)?),
        "secret" => ui::say(&format!("the secret is {}", json["secret"].as_str().unwrap())),
        "reveal" => ui::say(&code(
            secrets::reveal(json["secret"].as_str().unwrap())
                .map(|plain| ui::say(&format!("{} letters", plain.len()))),
        )),
        "quote" => {
            let quoted = secrets::quote(json["secret"].as_str().unwrap(), secrets::Quoting::Posix)?;
            let (status, out) =
                run("sh", &["-c", &format!("test {quoted} = \"it's\" && echo same {quoted}")])?;
            ui::say(&format!("{status:?} {out}"));
        }
        "exec" => ui::say(&match run("sh", &["-c", rest]) {
            Ok((status, out)) => format!("{status:?} {out}"),
            Err(error) => format!("{:?}: {}", error.code, error.message),
        }),
        "talk" => ui::say(&talk(json["secret"].as_str().unwrap())?),
        "render" => {
            ui::say(&render::go_template(rest, r#"{"Vars":"A=1","Path":"/x"}"#).unwrap_or_else(|e| e.message))
        }
        "undo" => {
            let entry = journal::UndoEntry {
                kind: "thing".into(),
                key: rest.into(),
                data: "{}".into(),
                summary: "a thing".into(),
            };
            ui::say(&code(journal::record_undo(&entry)));
        }
        "imports" => reach(configuration),
        other => panic!("no verb {other}"),
    }
    Ok(())
}

/// Gives a program its input piece by piece, a secret first, and ends it.
fn talk(secret: &str) -> Result<String, Error> {
    let call = exec::Call::new("sh");
    let script = r#"read -r line; test "$line" = hunter2-hunter2 && echo same; cat"#;
    for argument in ["-c", script] {
        call.argument(&[exec::Part::Text(argument.into())]);
    }
    let process = exec::start(call)?;
    process.write_stdin(format!("{secret}\n").as_bytes())?;
    let first = process.next_output()?.map(|piece| piece.data).unwrap_or_default();
    process.write_stdin(b"more")?;
    process.close_stdin()?;
    let late = code(process.write_stdin(b"late"));
    let finished = process.wait()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(format!("{} | {} | {:?} | {late}", text(&first), text(&finished.stdout()), finished.status()))
}

/// Calls everything that needs a designation, another role or a grant, and says what it got.
fn reach(configuration: &Configuration) {
    let say = |name: &str, result: String| ui::say(&format!("{name} = {result}"));
    say("configuration.entry", code(configuration.entry("/text")));
    say("configuration.entries", code(configuration.entries("/text")));
    say("configuration.output", code(configuration.output("/text", "")));
    say("artifacts.adopt", code(artifacts::adopt("x", "x", "x", "/text")));
    say("secrets.reveal", code(secrets::reveal("x")));
    say("exec.run", code(exec::run(exec::Call::new("sh"))));
    say("exec.start", code(exec::start(exec::Call::new("sh"))));
    say("hypervisor.capabilities", code(hypervisor::capabilities().map(|_| ())));
    let at = files::scratch("image").unwrap();
    let none = &[][..];
    say(
        "hypervisor.create-image",
        code(hypervisor::create_image(&at, hypervisor::ImageFormat::Qcow2, "1M", none)),
    );
    let file = files::from_text("x", "x").unwrap();
    say("hypervisor.overlay-image", code(hypervisor::overlay_image(&at, &file, none)));
    say(
        "hypervisor.import-image",
        code(hypervisor::import_image(&at, &file, hypervisor::ImageFormat::Raw, none)),
    );
    say("hypervisor.define", code(hypervisor::define(hypervisor::MachineSpec::new(configuration, "x", &at))));
    use kiln::host::machines;
    say("machines.connect", code(machines::connect(configuration, &machines::Address::Configured, "{}")));
    say("machines.media", code(machines::media(configuration, "{}")));
    say("machines.iso", code(machines::iso(configuration)));
    say("machines.http", code(machines::http(configuration, "{}")));
    say("machines.keypair", code(machines::keypair(configuration)));
    say("machines.connection-values", code(machines::connection_values(configuration)));
    say("downloads.designated", code(downloads::Request::designated(configuration, "/text")));
    say("downloads.fetch", code(downloads::fetch(downloads::Request::new("http://127.0.0.1:1/x"))));
    say("transfers.send", code(transfers::send(transfers::Request::new("GET", "http://127.0.0.1:1/x"))));
}
