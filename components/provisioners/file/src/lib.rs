//! Provisioner `file`: copies files and directories to the machine, or from it.
//!
//! Paths follow rsync: a directory whose name ends in `/` stands for its content, and a destination
//! that ends in `/` is a directory to copy into.

use kiln_sdk::sessions::UploadOptions;
use kiln_sdk::{
    Config, Context, Description, Entry, Error, Findings, Provisioner, Session, Unchecked, files, say,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Options {
    source: Option<String>,
    sources: Option<Vec<String>>,
    content: Option<String>,
    destination: String,
    direction: String,
}

impl Options {
    /// Each source with its pointer.
    fn sources(&self) -> Vec<(&str, String)> {
        if let Some(source) = self.source.as_deref().filter(|source| !source.is_empty()) {
            return vec![(source, "/source".to_owned())];
        }
        let sources = self.sources.iter().flatten().enumerate();
        sources.map(|(index, source)| (source.as_str(), format!("/sources/{index}"))).collect()
    }
}

struct Copy;

impl Provisioner for Copy {
    type Options = Options;

    fn describe() -> Description {
        let version = env!("CARGO_PKG_VERSION");
        Description::new("file", version, env!("CARGO_PKG_DESCRIPTION"), include_str!("../schema.json"))
    }

    fn validate(options: &Unchecked, findings: &mut Findings) {
        findings.filled(options, &["destination"]);
        findings.one_of(options, &["source", "sources", "content"], true);
        if options.text("/direction") == Some("download") && options.is_set("/content") {
            findings.error("/content", "`content` can only be uploaded", "");
        }
        if options.is_set("/content") && options.text("/destination").is_some_and(|d| d.ends_with('/')) {
            findings.error("/destination", "`content` needs the name of a file, not of a directory", "");
        }
    }

    fn provision(_: &Context, config: &Config<Options>, session: Option<&Session>) -> Result<(), Error> {
        let session = session.ok_or_else(|| Error::invalid("file needs a communicator, there is none"))?;
        if config.direction == "download" {
            return config.sources().iter().try_for_each(|(source, pointer)| {
                download(session, config, source).map_err(|e| e.at(pointer.as_str()))
            });
        }
        if let Some(content) = config.content.as_deref().filter(|content| !content.is_empty()) {
            let file = files::from_text("content", content)?;
            say!("Uploading content => {}", config.destination);
            return session
                .upload(&file, &config.destination, UploadOptions::new())
                .map_err(|e| e.at("/content"));
        }
        config.sources().iter().try_for_each(|(source, pointer)| {
            upload(session, config, source, pointer).map_err(|e| e.at(pointer.as_str()))
        })
    }
}

fn upload(session: &Session, config: &Config<Options>, source: &str, pointer: &str) -> Result<(), Error> {
    let entry = config.entry(pointer)?;
    match entry {
        Entry::File(file) => {
            let remote = remote_file(&config.destination, &file.name());
            say!("Uploading {source} => {remote}");
            session.upload(&file, &remote, UploadOptions::new())
        }
        Entry::Directory(directory) => {
            say!("Uploading {source} => {}", config.destination);
            let contents = source.ends_with('/');
            session.upload_directory(&directory, &config.destination, contents, UploadOptions::new())
        }
    }
}

fn download(session: &Session, config: &Config<Options>, source: &str) -> Result<(), Error> {
    let destination = config.output("/destination", &serde_json::json!({}))?;
    say!("Downloading {source} => {}", config.destination);
    if source.ends_with('/') {
        return session.download_directory(source, true, &destination);
    }
    let to =
        if config.destination.ends_with('/') { destination.child(base_name(source))? } else { destination };
    session.download(source, &to).map(|_| ())
}

/// Where a file goes: below a destination that ends in `/`.
fn remote_file(destination: &str, name: &str) -> String {
    if destination.ends_with('/') { format!("{destination}{name}") } else { destination.to_owned() }
}

/// The last part of a path on the machine, Windows or not.
fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

kiln_sdk::export_provisioner!(Copy);

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(json: &str) -> Vec<String> {
        let mut findings = Findings::default();
        Copy::validate(&Unchecked::new(json), &mut findings);
        findings.lines()
    }

    #[test]
    fn one_source() {
        assert_eq!(lines(r#"{"source":"a","destination":"/b"}"#), [""; 0]);
        assert_eq!(lines(r#"{"destination":"/b"}"#).len(), 1);
        assert_eq!(lines(r#"{"source":"a","content":"c","destination":"/b"}"#).len(), 1);
        assert_eq!(lines(r#"{"content":"c","destination":"/b/"}"#).len(), 1);
        assert_eq!(lines(r#"{"content":"c","destination":"/b","direction":"download"}"#).len(), 1);
    }

    #[test]
    fn a_slash_means_into() {
        assert_eq!(remote_file("/tmp/", "a.txt"), "/tmp/a.txt");
        assert_eq!(remote_file("/tmp/b", "a.txt"), "/tmp/b");
        assert_eq!((base_name("/var/log/x"), base_name("c:\\x\\y")), ("x", "y"));
    }

    #[test]
    fn the_schema_fits_the_type() {
        kiln_sdk::testing::options::<Options>(include_str!("../schema.json"), r#"{"destination":"x"}"#)
            .unwrap();
    }
}
