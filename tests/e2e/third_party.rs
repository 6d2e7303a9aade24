//! The bundled components, copied, renamed and loaded as third-party ones with the same grants
//! approved, give the same image: there is no power that only bundled ones have.

use kiln_tests::{Guest, Project, made};
use std::fmt::Write;

const USED: [(&str, &str, &str); 6] = [
    ("builders", "builder", "qemu"),
    ("provisioners", "provisioner", "shell"),
    ("provisioners", "provisioner", "file"),
    ("provisioners", "provisioner", "shell-local"),
    ("post-processors", "post-processor", "manifest"),
    ("post-processors", "post-processor", "checksum"),
];

fn template(guest: &Guest, prefix: &str) -> String {
    let source =
        guest.source("vm_name = \"image\"").replace("source \"qemu\"", &format!("source \"{prefix}qemu\""));
    format!(
        r#"{source}
build {{
  sources = ["source.{prefix}qemu.vm"]
  provisioner "{prefix}file" {{
    content     = "by file"
    destination = "/tmp/file"
  }}
  provisioner "{prefix}shell" {{
    inline = ["cat /tmp/file | sudo tee /etc/mark"]
  }}
  provisioner "{prefix}shell-local" {{
    inline = ["echo here"]
  }}
  post-processor "{prefix}checksum" {{
    checksum_types = ["sha256"]
    output         = "sum"
  }}
  post-processor "{prefix}manifest" {{
    output = "manifest.json"
  }}
}}
"#
    )
}

fn third_party() -> Project {
    let project = Project::with(&template(&Guest::tiny(), "my-"));
    let mut config = String::new();
    for (folder, kind, name) in USED {
        let wasm = made(&format!("components/{folder}/{name}.wasm"), "cargo xtask guests");
        // A byte more in a custom section: another digest, so nothing bundled vouches for it.
        let mut bytes = std::fs::read(wasm).unwrap();
        bytes.extend([0, 5, 4, b'm', b'i', b'n', b'e']);
        std::fs::write(project.path(&format!("my-{kind}-{name}.wasm")), bytes).unwrap();
        write!(
            config,
            "[[component]]\nkind = \"{kind}\"\nname = \"my-{name}\"\npath = \"my-{kind}-{name}.wasm\"\n\n"
        )
        .unwrap();
    }
    project.write("kiln.toml", &config);
    project
}

#[test]
fn renamed_components_need_approval_and_then_do_the_same() {
    let project = third_party();
    project.build(&[]).expect_code(1).expect(&["kiln init", "grant"]);
    // Programs and raw arguments are full trust, which the ordinary flag does not give.
    project.kiln(&["init", "--approve", "template.pkr.hcl"]).expect_code(1).expect(&[
        "my-qemu",
        "hypervisor",
        "it can do everything you can",
        "--approve-full-trust",
    ]);
    project.build(&[]).expect_code(1).expect(&["my-qemu", "kiln init"]).expect_not("my-checksum");
    project.kiln(&["init", "--approve-full-trust", "template.pkr.hcl"]).expect_code(0);
    project.build(&[]).expect_code(0);
    let manifest: serde_json::Value = serde_json::from_str(&project.read("manifest.json")).unwrap();
    assert_eq!(manifest["builds"][0]["artifact_id"], "image");
    assert!(project.path("kiln.lock").exists());
    // Another component under the same name is not what was approved.
    let other = std::fs::read(project.path("my-provisioner-file.wasm")).unwrap();
    std::fs::write(project.path("my-provisioner-shell.wasm"), other).unwrap();
    project.build(&["-force"]).expect_code(1).expect(&["kiln.lock"]);
}
