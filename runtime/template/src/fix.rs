//! `fix`: legacy JSON templates brought up to date, option by option. Main function: [`fix`].
//!
//! The fixers, their names, their order and what each of them touches are Packer's; so is the layout
//! of the result (sorted names, two spaces). The order matters: some look for what an earlier one
//! wrote. A value that a fixer cannot read is left as it is, for the validation to speak about.

mod checksum;
mod clouds;
mod communicator;
mod hypervisors;
mod names;
mod post_processors;
mod print;
mod provisioners;
mod step;

use crate::syntax::json_read;
use kiln_plan::code::template as code;
use kiln_plan::{ComponentRef, Diagnostic, Diagnostics, FileId, Kind, SourceMap, Span};
use serde_json::Value;
use step::Step;

/// One fixer.
struct Fixer {
    name: &'static str,
    description: &'static str,
    /// What it does, part by part.
    changes: &'static [Change],
}

/// What a fixer does to each step of one list of the template.
#[derive(Clone, Copy)]
enum Change {
    Builder(fn(&mut Step)),
    /// Can refuse the template, with the reason.
    StrictBuilder(fn(&mut Step) -> Result<(), String>),
    Provisioner(fn(&mut Step)),
    PostProcessor(fn(&mut Step)),
}

use Change::{Builder, PostProcessor, Provisioner, StrictBuilder};

const fn fixer(name: &'static str, description: &'static str, changes: &'static [Change]) -> Fixer {
    Fixer { name, description, changes }
}

/// All of them, in the order in which they run.
#[rustfmt::skip]
const FIXERS: [Fixer; 34] = [
    fixer("iso-md5", "`iso_md5` becomes an `iso_checksum` of type md5", &[Builder(checksum::md5)]),
    fixer("createtime", "`{{.CreateTime}}` in names of Amazon images becomes `{{timestamp}}`", &[Builder(names::create_time)]),
    fixer("virtualbox-gaattach", "`guest_additions_attach` becomes `guest_additions_mode`", &[Builder(hypervisors::guest_additions)]),
    fixer("pp-vagrant-override", "options of one provider of the vagrant post-processor move into `override`", &[PostProcessor(post_processors::vagrant_override)]),
    fixer("virtualbox-rename", "the builder `virtualbox` becomes `virtualbox-iso`, in overrides of provisioners too", &[Builder(hypervisors::virtualbox), Provisioner(provisioners::virtualbox_override)]),
    fixer("vmware-rename", "the builder `vmware` becomes `vmware-iso`", &[Builder(hypervisors::vmware)]),
    fixer("parallels-headless", "`headless` of Parallels builders goes, as it has no effect", &[Builder(hypervisors::parallels_headless)]),
    fixer("parallels-deprecations", "`parallels_tools_host_path` goes, `guest_os_distribution` becomes `guest_os_type`", &[Builder(hypervisors::parallels_options)]),
    fixer("sshkeypath", "`ssh_key_path` becomes `ssh_private_key_file`", &[Builder(communicator::key_path)]),
    fixer("sshdisableagent", "`ssh_disable_agent` becomes `ssh_disable_agent_forwarding`", &[Builder(communicator::disable_agent)]),
    fixer("scaleway-access-key", "`access_key` of Scaleway builders becomes `organization_id`", &[Builder(clouds::scaleway_key)]),
    fixer("manifest-filename", "`filename` of the manifest post-processor becomes `output`", &[PostProcessor(post_processors::manifest_output)]),
    fixer("amazon-shutdown_behavior", "`shutdown_behaviour` of Amazon builders becomes `shutdown_behavior`", &[Builder(clouds::shutdown_behavior)]),
    fixer("amazon-enhanced-networking", "`enhanced_networking` of Amazon builders becomes `ena_support`", &[Builder(clouds::enhanced_networking)]),
    fixer("amazon-private-ip", "`ssh_private_ip` of Amazon builders becomes an `ssh_interface`", &[StrictBuilder(clouds::private_ip)]),
    fixer("amazon-temp-sec-cidrs", "`temporary_security_group_source_cidr` becomes a list, with an s", &[Builder(clouds::source_cidrs)]),
    fixer("docker-email", "`login_email` goes, as Docker knows none", &[Builder(post_processors::docker_email), PostProcessor(post_processors::docker_email)]),
    fixer("docker-tag-tags", "`tag` of the docker-tag post-processor becomes the list `tags`", &[PostProcessor(post_processors::docker_tags)]),
    fixer("powershell-escapes", "escapes go from variables, user and password of PowerShell provisioners, which need none", &[Provisioner(provisioners::powershell_escapes)]),
    fixer("vmware-compaction", "`skip_compaction` is set where the disk type of an ESX host cannot be compacted", &[Builder(hypervisors::compaction)]),
    fixer("hyperv-deprecations", "`vhd_temp_path` of hyperv-iso goes", &[Builder(hypervisors::vhd_temp_path)]),
    fixer("hyperv-vmxc-typo", "`clone_from_vmxc_path` of hyperv-vmcx becomes `clone_from_vmcx_path`", &[Builder(hypervisors::vmcx_path)]),
    fixer("hyperv-cpu-and-ram", "`cpu` and `ram_size` of Hyper-V builders become `cpus` and `memory`", &[Builder(hypervisors::cpu_and_ram)]),
    fixer("clean-image-name", "the functions `clean_image_name` and `clean_ami_name` become `clean_resource_name`", &[Builder(names::clean_resource_name)]),
    fixer("spot-price-auto-product", "`spot_price_auto_product` of Amazon builders goes", &[Builder(clouds::auto_product)]),
    fixer("qemu-disk-size", "a number as `disk_size` of QEMU builders becomes a text with its unit", &[Builder(hypervisors::disk_size)]),
    fixer("galaxy-command", "`galaxycommand` of ansible-local becomes `galaxy_command`", &[Provisioner(provisioners::galaxy_command)]),
    fixer("comm-config", "options of port forwarding of VirtualBox builders lose their `ssh_`", &[Builder(communicator::virtualbox_ports)]),
    fixer("ssh-wait-timeout", "`ssh_wait_timeout` becomes `ssh_timeout`", &[Builder(communicator::wait_timeout)]),
    fixer("vsphere-iso-net-disk", "network and disk options of vsphere-iso move into `network_adapters` and `storage`", &[Builder(clouds::vsphere_devices)]),
    fixer("iso-checksum-type-and-url", "`iso_checksum_type` and `iso_checksum_url` move into `iso_checksum`", &[Builder(checksum::type_and_url)]),
    fixer("qemu-host-port", "`ssh_host_port_min` and `_max` of QEMU builders lose their `ssh_`", &[Builder(communicator::qemu_ports)]),
    fixer("azure-exclude_from_latest", "the misspelled `exlude_from_latest` of azure-chroot becomes `exclude_from_latest`", &[Builder(clouds::exclude_from_latest)]),
    fixer("proxmox-type", "the builder `proxmox` becomes `proxmox-iso`", &[Builder(hypervisors::proxmox)]),
];

/// Names and descriptions of the fixers, in their order.
pub fn fixers() -> impl Iterator<Item = (&'static str, &'static str)> {
    FIXERS.iter().map(|fixer| (fixer.name, fixer.description))
}

/// What to do about an option of a component that a fixer takes away.
pub(crate) fn repair(component: &ComponentRef, option: &str) -> Option<String> {
    let fixer = FIXERS.iter().find(|fixer| fixer.takes(component, option))?;
    Some(format!("`kiln fix` may repair it: {}", fixer.description))
}

impl Fixer {
    /// Whether an option of a component is not there any more when this is done. That is tried out, as
    /// a list of the options would have to be kept; all fixers want a text or a truth value.
    fn takes(&self, component: &ComponentRef, option: &str) -> bool {
        [Value::from("true"), Value::from(true)].into_iter().any(|value| {
            let mut step = Step::new();
            step.insert("type".into(), component.name.as_str().into());
            step.insert(option.into(), value);
            for change in self.changes {
                match (change, component.kind) {
                    (Builder(change), Kind::Builder)
                    | (Provisioner(change), Kind::Provisioner)
                    | (PostProcessor(change), Kind::PostProcessor) => change(&mut step),
                    (StrictBuilder(change), Kind::Builder) => drop(change(&mut step)),
                    _ => {}
                }
            }
            !step.contains_key(option)
        })
    }
}

/// A legacy JSON template after all fixers, laid out.
///
/// # Errors
/// The text is no JSON object, its lists hold something that is no step, or a fixer refuses a value;
/// with the map that the findings' places point into.
pub fn fix(name: &str, text: &str) -> Result<String, (SourceMap, Diagnostics)> {
    let mut sources = SourceMap::default();
    let file = sources.add(name, text);
    fixed(text, file).map_err(|found| (sources, found))
}

fn fixed(text: &str, file: FileId) -> Result<String, Diagnostics> {
    let mut template: Value = serde_json::from_str(text).map_err(|e| syntax(&e, text, file))?;
    if !template.is_object() {
        return Err(vec![wrong("a template is a JSON object")]);
    }
    for fixer in &FIXERS {
        for change in fixer.changes {
            apply(*change, &mut template).map_err(|problem| {
                vec![wrong(problem).detail(format!("found by the fixer {}", fixer.name))]
            })?;
        }
    }
    Ok(print::go(&template))
}

fn apply(change: Change, template: &mut Value) -> Result<(), String> {
    match change {
        Builder(change) => step::builders(template, |builder| {
            change(builder);
            Ok(())
        }),
        StrictBuilder(change) => step::builders(template, change),
        Provisioner(change) => {
            step::provisioners(template, change);
            Ok(())
        }
        PostProcessor(change) => step::post_processors(template, change),
    }
}

fn wrong(summary: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code::CANNOT_FIX, summary)
}

/// What the reader of templates finds; it is stricter, but for the size of numbers. Never serde's text:
/// it can quote a value.
fn syntax(error: &serde_json::Error, text: &str, file: FileId) -> Diagnostics {
    let mistakes = json_read::read(text, file, true).mistakes;
    if !mistakes.is_empty() {
        return mistakes;
    }
    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let at = u32::try_from((before + error.column().saturating_sub(1)).min(text.len())).unwrap_or(u32::MAX);
    vec![wrong("this is not JSON").at(Span { file, start: at, end: at })]
}

#[cfg(test)]
mod tests;
