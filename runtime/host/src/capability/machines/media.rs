//! What a machine is given: the ISO or disk image, CDs and floppies, the HTTP server.
#![expect(clippy::disallowed_methods, reason = "media are written into the build's own folder")]

use super::{Server, is_set};
use crate::bindings::kiln::host::hypervisor::MediumKind;
use crate::bindings::kiln::host::types::ErrorCode;
use crate::capability::downloads;
use crate::configuration::StepConfiguration;
use crate::designation::{self, Found};
use crate::error::{CallResult, fail, fail_at};
use crate::file::File;
use crate::groups::{Options, machine};
use crate::state::StepCtx;
use kiln_content::digest::Checksum;
use kiln_machine::{
    HttpContent, HttpServer, HttpServerOptions, IsoOptions, MediaFile, floppy_image, write_iso,
};
use std::collections::BTreeMap;
use std::io::{BufWriter, Read};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// The most files of a medium.
const MAX_FILES: usize = 10_000;
/// How deep directories of a medium are.
const MAX_DEPTH: usize = 32;

/// The HTTP servers of a build, for diagnostics.
#[derive(Default)]
pub(super) struct Servers(Mutex<Vec<Arc<HttpServer>>>);

impl Servers {
    /// What was asked for lately: `GET /answers (200)`.
    pub(super) fn requests(&self) -> Vec<String> {
        let servers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = servers.iter().flat_map(|server| server.requests());
        let mut lines: Vec<String> = requests
            .map(|request| format!("{} {} ({})", request.method, request.path, request.status))
            .collect();
        let from = lines.len().saturating_sub(10);
        lines.split_off(from)
    }
}

/// The file that `iso_url` or `iso_urls` name, fetched and verified.
pub(super) async fn iso(
    step: &Arc<StepCtx>,
    configuration: &Arc<StepConfiguration>,
    cancel: CancellationToken,
) -> CallResult<File> {
    let options = Options(configuration);
    let mut urls = Vec::new();
    let mut local = true;
    for pointer in ["/iso_url", "/iso_urls"] {
        if !is_set(configuration, pointer.trim_start_matches('/')) {
            continue;
        }
        for pointer in designation::pointers_below(configuration, pointer)? {
            let designated = designation::find(configuration, &pointer)?;
            local &= designated.is_user_s();
            urls.push(local_path(step, designated.text));
        }
    }
    if urls.is_empty() {
        return Err(fail(ErrorCode::NotFound, "neither `iso_url` nor `iso_urls` names an image"));
    }
    let skip = options.flag("iso_skip_cache");
    let checksum = if skip { "none" } else { options.text("iso_checksum").unwrap_or("none") };
    let checksum = Checksum::parse(checksum).map_err(|e| options.wrong("iso_checksum", &e.to_string()))?;
    let mut wanted = downloads::wanted(&step.build, urls, checksum);
    wanted.allow_local = local;
    wanted.extension = options.string("iso_target_extension");
    wanted.target = options.text("iso_target_path").map(|path| designation::resolve(&step.build, path));
    let name = if is_set(configuration, "iso_url") { "/iso_url" } else { "/iso_urls" };
    let fetched = if local {
        let policy = downloads::named(&wanted.urls, Some(&wanted.checksum));
        downloads::fetch(step, wanted, policy, cancel).await
    } else {
        downloads::fetch(step, wanted, downloads::public(), cancel).await
    };
    fetched.map_err(|e| e.at(name))
}

/// `~` means the user's home in paths too.
fn local_path(step: &StepCtx, text: &str) -> String {
    if text.starts_with("~/") {
        return designation::resolve(&step.build, text).to_string_lossy().into_owned();
    }
    text.to_owned()
}

/// The CD and the floppy that the options describe. Blocks on disks.
pub(super) fn make(
    step: &Arc<StepCtx>,
    configuration: &Arc<StepConfiguration>,
    late: &str,
    cancel: &CancellationToken,
) -> CallResult<Vec<(MediumKind, File)>> {
    let _ = late;
    let options = Options(configuration);
    let mut media = Vec::new();
    let cd = files(step, configuration, "cd_files", "cd_content", None)?;
    if !cd.is_empty() {
        let label = options.text("cd_label").unwrap_or("packer").to_owned();
        let path = place(step, "cd.iso")?;
        let mut out = BufWriter::new(std::fs::File::create(&path)?);
        write_iso(&IsoOptions { label }, cd, &mut out, cancel)
            .map_err(|e| options.wrong("cd_files", &e.to_string()))?;
        drop(out);
        media.push((MediumKind::Cdrom, File::opened(std::fs::File::open(&path)?, &path)?));
    }
    let floppy = files(step, configuration, "floppy_files", "floppy_content", Some("floppy_dirs"))?;
    if !floppy.is_empty() {
        let label = options.text("floppy_label").unwrap_or("packer");
        let image = floppy_image(label, floppy).map_err(|e| options.wrong("floppy_files", &e.to_string()))?;
        let path = place(step, "floppy.img")?;
        std::fs::write(&path, image)?;
        media.push((MediumKind::Floppy, File::opened(std::fs::File::open(&path)?, &path)?));
    }
    Ok(media)
}

fn place(step: &StepCtx, name: &str) -> CallResult<PathBuf> {
    Ok(step.build.scratch()?.join(format!("{}-{name}", crate::secrets::random_hex(3))))
}

/// The files of a medium: what globs and directories name, and what is written in the template.
fn files(
    step: &Arc<StepCtx>,
    configuration: &StepConfiguration,
    list: &str,
    content: &str,
    directories: Option<&str>,
) -> CallResult<Vec<MediaFile>> {
    let mut files = Vec::new();
    for name in [Some(list), directories].into_iter().flatten().filter(|name| is_set(configuration, name)) {
        for pointer in designation::pointers_below(configuration, &format!("/{name}"))? {
            let designated = designation::find(configuration, &pointer)?;
            for (name, found) in designation::open_all(&step.build, &step.grants, &designated)? {
                match found {
                    Found::File(file) => files.push(media_file(name, file)?),
                    Found::Directory(dir, path) => {
                        let base =
                            path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
                        // `dir/` means what is in it, `dir` the directory itself.
                        let base = if designated.text.ends_with('/') { String::new() } else { base };
                        walk(&dir, &path, &base, 0, &mut files)?;
                    }
                }
            }
        }
    }
    for (name, text) in Options(configuration).map(content) {
        files.push(MediaFile::bytes(name.trim_start_matches('/'), text.as_bytes()));
    }
    if files.len() > MAX_FILES {
        return Err(fail_at(ErrorCode::Limit, &format!("/{list}"), "a medium takes 10,000 files at most"));
    }
    Ok(files)
}

fn media_file(name: String, file: File) -> CallResult<MediaFile> {
    let length = file.size()?;
    Ok(MediaFile::reader(name, length, move || Ok(Box::new(file.reader()) as Box<dyn Read>)))
}

/// Everything below a directory. Links that lead out of it are not followed: cap-std refuses.
fn walk(
    dir: &cap_std::fs::Dir,
    path: &std::path::Path,
    base: &str,
    depth: usize,
    files: &mut Vec<MediaFile>,
) -> CallResult<()> {
    if depth > MAX_DEPTH || files.len() > MAX_FILES {
        return Err(fail(ErrorCode::Limit, "a directory for a medium is too deep or has too many files"));
    }
    let mut names: Vec<String> =
        dir.entries()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    for name in names {
        let inner = if base.is_empty() { name.clone() } else { format!("{base}/{name}") };
        let meta = dir.metadata(&name)?;
        if meta.is_dir() {
            walk(&dir.open_dir(&name)?, &path.join(&name), &inner, depth + 1, files)?;
        } else if meta.is_file() {
            let file = File::opened(dir.open(&name)?.into_std(), &path.join(&name))?;
            files.push(media_file(inner, file)?);
        }
    }
    Ok(())
}

/// Starts the HTTP server if the options name something to serve.
pub(super) async fn serve(
    step: &Arc<StepCtx>,
    configuration: &Arc<StepConfiguration>,
    late: &str,
) -> CallResult<Option<Server>> {
    let options = Options(configuration);
    let Some(content) = content(step, configuration, late)? else { return Ok(None) };
    let bridged = options.text("net_bridge").is_some();
    let usual = if bridged { "0.0.0.0" } else { "127.0.0.1" };
    let bind = options.text("http_bind_address").unwrap_or(usual);
    let bind: IpAddr = bind
        .parse()
        .map_err(|_| options.wrong("http_bind_address", &format!("`{bind}` is no IP address")))?;
    let ports = machine::range(options, "http_port_min", "http_port_max", 8000..=9000)?;
    let server = HttpServer::start(&HttpServerOptions { bind, ports }, content).await;
    let server = Arc::new(server.map_err(|e| options.wrong("http_port_min", &e.to_string()))?);
    let port = server.address().port();
    let servers = step.build.extension(Servers::default);
    servers.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&server));
    let ended = Arc::clone(&servers);
    step.build.undo(format!("the HTTP server on port {port}"), None, move || async move {
        // Dropping the server closes its port.
        ended.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|kept| kept.address().port() != port);
        Ok(())
    })?;
    // QEMU's user network shows this machine's loopback as 10.0.2.2.
    let ip =
        if bridged { options.text("http_interface").unwrap_or("").to_owned() } else { "10.0.2.2".to_owned() };
    Ok(Some(Server { ip, port }))
}

fn content(
    step: &Arc<StepCtx>,
    configuration: &Arc<StepConfiguration>,
    late: &str,
) -> CallResult<Option<HttpContent>> {
    let options = Options(configuration);
    if options.text("http_directory").is_some() {
        let designated = designation::find(configuration, "/http_directory")?;
        return match designation::open(&step.build, &step.grants, &designated)? {
            Found::Directory(dir, _) => Ok(Some(HttpContent::Directory(Arc::new(dir)))),
            Found::File(_) => Err(options.wrong("http_directory", "`http_directory` must be a directory")),
        };
    }
    let texts = options.map("http_content");
    if texts.is_empty() {
        return Ok(None);
    }
    let mut rendered = BTreeMap::new();
    for (path, text) in texts {
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        rendered.insert(path, configuration.render_late(text, late)?.into_bytes());
    }
    Ok(Some(HttpContent::Texts(Arc::new(rendered))))
}
