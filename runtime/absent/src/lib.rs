//! What is known of components that templates use and kiln does not have yet: which plugin they are
//! of, their options, what data sources give. With it a template on them can be checked, shown and
//! converted; it cannot be built.
//!
//! The facts are text, a file for each plugin in `plugins/`, in a notation that [`read`] describes.
//! A component that is really there always comes first; ask here only for what is not.

mod read;

use kiln_plan::{ComponentRef, Kind, Schema};
use read::Section;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, OnceLock};

/// The text of each plugin.
const PLUGINS: &[&str] = &[
    include_str!("plugins/alicloud.txt"),
    include_str!("plugins/amazon.txt"),
    include_str!("plugins/ansible.txt"),
    include_str!("plugins/azure.txt"),
    include_str!("plugins/chef.txt"),
    include_str!("plugins/digitalocean.txt"),
    include_str!("plugins/docker.txt"),
    include_str!("plugins/googlecompute.txt"),
    include_str!("plugins/goss.txt"),
    include_str!("plugins/hcloud.txt"),
    include_str!("plugins/hyperv.txt"),
    include_str!("plugins/inspec.txt"),
    include_str!("plugins/linode.txt"),
    include_str!("plugins/lxc.txt"),
    include_str!("plugins/lxd.txt"),
    include_str!("plugins/nutanix.txt"),
    include_str!("plugins/openstack.txt"),
    include_str!("plugins/oracle.txt"),
    include_str!("plugins/outscale.txt"),
    include_str!("plugins/packer.txt"),
    include_str!("plugins/parallels.txt"),
    include_str!("plugins/proxmox.txt"),
    include_str!("plugins/puppet.txt"),
    include_str!("plugins/salt.txt"),
    include_str!("plugins/scaleway.txt"),
    include_str!("plugins/utm.txt"),
    include_str!("plugins/vagrant.txt"),
    include_str!("plugins/virtualbox.txt"),
    include_str!("plugins/vmware.txt"),
    include_str!("plugins/vsphere.txt"),
    include_str!("plugins/vultr.txt"),
    include_str!("plugins/windows-update.txt"),
    include_str!("plugins/windows.txt"),
];

static ALL: LazyLock<BTreeMap<ComponentRef, Absent>> = LazyLock::new(|| {
    let texts = PLUGINS.iter().map(|text| Arc::new(read::sections(text)));
    texts.flat_map(|file| of_file(&file)).map(|absent| (absent.component.clone(), absent)).collect()
});

/// A component that is not there yet.
#[derive(Debug)]
pub struct Absent {
    /// Its kind and name.
    pub component: ComponentRef,
    /// The source of its plugin as `required_plugins` names it; `packer` for parts of Packer itself.
    pub plugin: &'static str,
    section: Section,
    /// All sections of its file, for what it refers to.
    file: Arc<Vec<Section>>,
    schema: OnceLock<Arc<Schema>>,
}

impl Absent {
    /// Its options. If they are not known in full, any option is accepted.
    pub fn schema(&self) -> Arc<Schema> {
        Arc::clone(
            self.schema
                .get_or_init(|| Arc::new(read::options(&self.section, &self.file).unwrap_or_else(any))),
        )
    }

    /// What it gives as a data source; `None` if that is not known.
    pub fn output(&self) -> Option<Arc<Schema>> {
        read::output(&self.section, &self.file).ok().flatten().map(Arc::new)
    }
}

/// What cannot be read is not known. A test reads everything.
fn any(_: String) -> Schema {
    Schema { open: true, ..Schema::default() }
}

/// The component of this kind and name, if it is known.
pub fn find(component: &ComponentRef) -> Option<&'static Absent> {
    ALL.get(component)
}

/// All of them, sorted by kind and name.
pub fn all() -> impl Iterator<Item = &'static Absent> {
    ALL.values()
}

/// The names of a kind, sorted.
pub fn names(kind: Kind) -> impl Iterator<Item = &'static str> {
    all().filter(move |absent| absent.component.kind == kind).map(|absent| absent.component.name.as_str())
}

/// The components of the plugin with this source: `github.com/hashicorp/amazon`.
pub fn of_plugin(source: &str) -> impl Iterator<Item = &'static Absent> {
    all().filter(move |absent| absent.plugin.eq_ignore_ascii_case(source))
}

fn of_file(file: &Arc<Vec<Section>>) -> Vec<Absent> {
    let plugin = file.iter().find(|section| section.word == "plugin").map_or("", |section| section.name);
    let kind = |section: &Section| {
        Some(match section.word {
            "builder" => Kind::Builder,
            "provisioner" => Kind::Provisioner,
            "post-processor" => Kind::PostProcessor,
            "data" => Kind::DataSource,
            _ => return None,
        })
    };
    let one = |section: &Section| {
        Some(Absent {
            component: ComponentRef::new(kind(section)?, section.name),
            plugin,
            section: section.clone(),
            file: Arc::clone(file),
            schema: OnceLock::new(),
        })
    };
    file.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kiln_plan::FieldType;

    fn schema(kind: Kind, name: &str) -> Arc<Schema> {
        find(&ComponentRef::new(kind, name)).unwrap_or_else(|| panic!("no {kind} {name}")).schema()
    }

    #[test]
    fn every_plugin_can_be_read() {
        let mut seen = 0;
        for absent in all() {
            assert!(!absent.plugin.is_empty(), "{}", absent.component);
            read::options(&absent.section, &absent.file)
                .unwrap_or_else(|e| panic!("{}: {e}", absent.component));
            read::output(&absent.section, &absent.file)
                .unwrap_or_else(|e| panic!("{}: {e}", absent.component));
            seen += 1;
        }
        assert!(seen > 80, "{seen}");
    }

    #[test]
    fn every_file_is_listed_and_every_section_known() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/plugins");
        #[expect(clippy::disallowed_methods, reason = "a test counts its own files")]
        let files = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(files, PLUGINS.len());
        let words = ["plugin", "set", "object", "builder", "provisioner", "post-processor", "data"];
        for section in PLUGINS.iter().flat_map(|text| read::sections(text)) {
            assert!(words.contains(&section.word), "{} {}", section.word, section.name);
        }
    }

    #[test]
    fn a_builder_has_its_own_options_those_of_sets_and_the_hosts() {
        let ebs = schema(Kind::Builder, "amazon-ebs");
        assert!(!ebs.open);
        assert_eq!(ebs.fields["ssh_username"].ty, FieldType::Text);
        assert_eq!(ebs.fields["winrm_use_ssl"].ty, FieldType::Bool);
        assert_eq!(ebs.fields["max_retries"].ty, FieldType::Number);
        assert!(!ebs.fields["tags"].block && ebs.fields["tag"].block);
        let FieldType::List(device) = &ebs.fields["launch_block_device_mappings"].ty else {
            panic!("not a list")
        };
        let FieldType::Object(device) = &device.ty else { panic!("not an object") };
        assert_eq!(device["volume_size"].ty, FieldType::Number);
        // As many as Packer's own, which count eight that users never write.
        assert_eq!(ebs.fields.len(), 156 - 8);
        // `iso_skip_cache` of the group, and an option of a later release.
        assert_eq!(schema(Kind::Builder, "virtualbox-iso").fields.len(), 136 - 8 + 2);
        assert_eq!(schema(Kind::Builder, "azure-arm").fields.len(), 142 - 8);
        assert_eq!(schema(Kind::Builder, "vsphere-clone").fields.len(), 141 - 8);
        assert_eq!(schema(Kind::Provisioner, "ansible").fields.len(), 36 - 8);
    }

    #[test]
    fn unknown_schemas_are_open_and_outputs_typed() {
        assert!(schema(Kind::Builder, "lxc").open);
        let ami = find(&ComponentRef::new(Kind::DataSource, "amazon-ami")).unwrap().output().unwrap();
        assert_eq!(ami.fields["id"].ty, FieldType::Text);
        assert!(matches!(ami.fields["tags"].ty, FieldType::Map(_)));
        let lxc = find(&ComponentRef::new(Kind::Builder, "lxc")).unwrap();
        assert!(lxc.output().is_none());
        assert_eq!(of_plugin("github.com/hashicorp/Docker").count(), 5);
    }
}
