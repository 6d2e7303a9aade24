//! The real file system, and a catalogue of small components, for the tests of this crate.

use kiln_plan::{ComponentRef, Diagnostic, Kind, Schema, SourceMap};
use kiln_template::{Catalogue, Environment, FileKind};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Real files below a root, other things as set.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) root: PathBuf,
    pub(crate) variables: BTreeMap<String, String>,
    /// Templates are read as `fmt` writes them.
    pub(crate) formatted: bool,
}

impl World {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), variables: BTreeMap::new(), formatted: false }
    }
}

impl Environment for World {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let path = self.root.join(path);
        if std::fs::metadata(&path)?.len() > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let bytes = std::fs::read(&path)?;
        let laid_out = || {
            let text = std::str::from_utf8(&bytes).ok()?;
            kiln_template::format("t", text).ok().map(String::into_bytes)
        };
        let name = path.to_string_lossy();
        let is_hcl = name.ends_with(".pkr.hcl") || name.ends_with(".pkrvars.hcl");
        Ok(Some(is_hcl && self.formatted).filter(|yes| *yes).and_then(|_| laid_out()).unwrap_or(bytes))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<(String, FileKind)>> {
        std::fs::read_dir(self.root.join(directory))?
            .map(|entry| {
                let entry = entry?;
                let kind = if entry.path().is_dir() { FileKind::Directory } else { FileKind::File };
                Ok((entry.file_name().to_string_lossy().into_owned(), kind))
            })
            .collect()
    }

    fn kind(&self, path: &Path) -> io::Result<FileKind> {
        let metadata = std::fs::metadata(self.root.join(path))?;
        Ok(if metadata.is_dir() { FileKind::Directory } else { FileKind::File })
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn working_directory(&self) -> PathBuf {
        PathBuf::from("/cwd")
    }

    fn home(&self) -> Option<PathBuf> {
        Some(PathBuf::from("/home/u"))
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_100)
    }

    fn started(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_700_000_000)
    }

    fn random(&self, bytes: &mut [u8]) {
        bytes.fill(0x5a);
    }
}

/// Components with schemas in the real dialect.
#[derive(Debug, Default)]
pub(crate) struct Components;

const NULL: &str = r#"{"properties":{
  "communicator":{"type":"string"},"ssh_host":{"type":"string"},"ssh_password":{"type":"string","x-kiln-sensitive":true}}}"#;
const QEMU: &str = r#"{"required":["iso_url"],"properties":{
  "iso_url":{"type":"string"},"memory":{"type":"number"},"headless":{"type":"boolean"},
  "boot_command":{"type":"array","items":{"type":"string"},"x-kiln-late":true},
  "format":{"type":"string","enum":["qcow2","raw"]},
  "qemuargs":{"type":"array","items":{"type":"array","items":{"type":"string"}}},
  "http_content":{"type":"object","additionalProperties":{"type":"string"}},
  "disk":{"type":"array","x-kiln-block":true,"items":{"type":"object","required":["size"],"properties":{"size":{"type":"string"},"cache":{"type":"string"}}}},
  "old":{"type":"string","deprecated":"use new"}}}"#;
const SHELL: &str = r#"{"properties":{
  "inline":{"type":"array","items":{"type":"string"}},
  "environment_vars":{"type":"array","items":{"type":"string"}},
  "env":{"type":"object","additionalProperties":{"type":"string"}},
  "execute_command":{"type":"string","x-kiln-late":true}}}"#;
const MANIFEST: &str = r#"{"properties":{"output":{"type":"string"},"custom_data":{"type":"object","additionalProperties":{"type":"string"}}}}"#;
const HTTP: &str = r#"{"required":["url"],"properties":{"url":{"type":"string"}}}"#;
const HTTP_OUT: &str = r#"{"properties":{"body":{"type":"string"}}}"#;
const ECHO: &str = r#"{"properties":{"input":{"type":"string"}}}"#;
const ECHO_OUT: &str = r#"{"properties":{"output":{"type":"string"}}}"#;

impl Catalogue for Components {
    fn schema(&self, component: &ComponentRef) -> Option<Arc<Schema>> {
        let text = match (component.kind, component.name.as_str()) {
            (Kind::Builder, "null") => NULL,
            (Kind::Builder, "qemu") => QEMU,
            (Kind::Provisioner, "shell" | "shell-local") => SHELL,
            (Kind::PostProcessor, "manifest" | "checksum") => MANIFEST,
            (Kind::DataSource, "http") => HTTP,
            (Kind::DataSource, "null") => ECHO,
            _ => return kiln_absent::find(component).map(kiln_absent::Absent::schema),
        };
        Some(Arc::new(Schema::parse(text).expect("the schemas of the tests are right")))
    }

    fn output_schema(&self, component: &ComponentRef) -> Option<Arc<Schema>> {
        let text = match component.name.as_str() {
            "null" => ECHO_OUT,
            "http" => HTTP_OUT,
            _ => return kiln_absent::find(component).and_then(kiln_absent::Absent::output),
        };
        Some(Arc::new(Schema::parse(text).expect("the schemas of the tests are right")))
    }

    fn names(&self, kind: Kind) -> Vec<String> {
        let names: &[&str] = match kind {
            Kind::Builder => &["null", "qemu"],
            Kind::Provisioner => &["shell", "shell-local"],
            Kind::PostProcessor => &["checksum", "manifest"],
            Kind::DataSource => &["http", "null"],
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn absent_names(&self, kind: Kind) -> Vec<String> {
        kiln_absent::names(kind).map(str::to_owned).collect()
    }
}

/// Findings as text, one block of lines each.
pub(crate) fn shown(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for d in diagnostics {
        let level = if d.is_error() { "error" } else { "warning" };
        out.push_str(&format!("{level}[{}]: {}\n", d.code, d.summary));
        if let Some(span) = d.span {
            let (line, column) = sources.position(span);
            let text = sources.text(span.file).get(span.start as usize..span.end as usize).unwrap_or("");
            let text = text.lines().next().unwrap_or("");
            out.push_str(&format!("  at {}:{line}:{column} `{text}`\n", sources.name(span.file)));
        }
        for (name, value) in [
            ("in", d.context.clone().unwrap_or_default()),
            ("detail", d.detail.clone()),
            ("help", d.help.clone().unwrap_or_default()),
        ] {
            if !value.is_empty() {
                out.push_str(&format!("  {name}: {value}\n"));
            }
        }
        for (name, value) in &d.values {
            out.push_str(&format!("  {name} is {value}\n"));
        }
    }
    out
}
